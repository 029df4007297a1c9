//! Elsewhere the folder's own access list decides, which the agent sets on its home.

use std::fs::{DirBuilder, OpenOptions};

pub(crate) fn owner_only_folder(_: &mut DirBuilder) {}

pub(crate) fn owner_only_file(_: &mut OpenOptions) {}
