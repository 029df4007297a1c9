//! Byte stores under a vault.
