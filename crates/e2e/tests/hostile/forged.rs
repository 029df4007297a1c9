//! Points that a holder of the keys forged: sealed and signed right, and wrong in everything else.

mod bombs;
mod keys;
mod packs;
mod paths;
mod special;

use crate::behaviour::Behaviour;
use crate::stage::Stage;

/// All of them.
pub const ALL: &[Behaviour<Stage>] = &[
    paths::PARENT,
    paths::HERE,
    paths::ABSOLUTE,
    paths::NUL,
    paths::EMPTY,
    paths::LONG,
    paths::THROUGH_LINK,
    paths::LINK_OVER_FOLDER,
    paths::OUT_OF_ORDER,
    paths::TWICE,
    paths::LEFT_TOO_OFTEN,
    paths::FOLDERS_OPEN,
    paths::MARKER,
    special::HARD_LINK_TO_LINK,
    special::FILE_OVER_FIFO,
    special::DEVICE,
    special::SETUID,
    special::NOBODY,
    special::LINK_TARGETS,
    special::ATTRIBUTES,
    special::CRITICAL,
    special::UNKNOWN,
    special::TIMES,
    special::TERMINAL,
    bombs::DEEP,
    bombs::SIZE,
    bombs::HOLES,
    bombs::LIST,
    bombs::ENDLESS,
    bombs::REPEATED,
    bombs::METADATA,
    bombs::FOLDERS,
    bombs::TOTALS,
    packs::BOMB,
    packs::STORED,
    packs::OTHER_CHUNK,
    packs::FRAME_LENGTH,
    packs::ALIKE,
    packs::NOT_LISTED,
    packs::LONGEST,
    packs::ABSENT,
    packs::SIZE_LIES,
    keys::STRANGER,
    keys::FOREIGN,
    keys::FORK,
    keys::LAST_NUMBER,
    keys::COMPONENT_TWICE,
    keys::CHEAP_SLOT,
    keys::DEAR_SLOT,
    keys::FOREIGN_SLOT,
    keys::SLOTS,
];
