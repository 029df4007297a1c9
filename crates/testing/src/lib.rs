//! Builders, fake clock, seeded random source, in-memory faulty vault.
