//! The whole product over real sockets and processes.
