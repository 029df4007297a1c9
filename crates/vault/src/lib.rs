//! The vault: agent plane, management, commit.
