//! Permission bits.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

pub(crate) fn owner_only_folder(builder: &mut DirBuilder) {
    builder.mode(0o700);
}

pub(crate) fn owner_only_file(options: &mut OpenOptions) {
    options.mode(0o600);
}
