//! Tests of calls, retries and refusals against a real TLS server.
