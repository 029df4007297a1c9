//! A real TLS server in the test.
