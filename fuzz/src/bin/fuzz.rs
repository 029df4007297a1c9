//! What libFuzzer drives: the target that `STATEWARD_FUZZ_TARGET` names. Run it by `scripts/fuzz.sh`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static TARGET: LazyLock<&'static stateward_fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("STATEWARD_FUZZ_TARGET").unwrap_or_default();
    stateward_fuzz::find(&name).unwrap_or_else(|| panic!("`STATEWARD_FUZZ_TARGET` names no target: `{name}`"))
});

fuzz_target!(|bytes: &[u8]| (TARGET.run)(bytes));
