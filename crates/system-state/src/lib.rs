//! What System State is, and how it is read and put back.
