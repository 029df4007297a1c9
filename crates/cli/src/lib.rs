//! The program stateward.
