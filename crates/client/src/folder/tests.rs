//! Tests of reading from a folder.
