//! The protected server's side: registration, cache folder, jobs.
