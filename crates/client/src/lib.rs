//! Typed client of the vault; the engine's vault store over HTTP and over a folder.
