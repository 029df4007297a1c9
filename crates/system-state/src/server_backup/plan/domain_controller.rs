//! Domain controllers: their directory is put back while it doesn't run.

use super::{Here, Line, Place, PlanError, Point, Step, Wish, listing_line, recovery_line, summary};

/// How many days deleted objects are remembered where nobody changed it, in forests made since Server 2003 SP1.
pub const TOMBSTONE_DAYS: u32 = 180;

/// What should be known of a recovery point that is `days` old; refuses one that is too old.
pub(super) fn warnings(days: i64, here: &Here, wish: Wish) -> Result<Vec<String>, PlanError> {
    let tombstone_days = here.tombstone_days.unwrap_or(TOMBSTONE_DAYS);
    if days >= i64::from(tombstone_days) {
        return Err(PlanError::Tombstoned { days, tombstone_days });
    }
    let mut warnings = Vec::new();
    if here.tombstone_days.is_none() {
        warnings.push(format!(
            "How long the domain remembers deleted objects couldn't be asked: {TOMBSTONE_DAYS} days are assumed; it may be less \
             in a forest that began before Server 2003 SP1"
        ));
    }
    if days * 4 >= i64::from(tombstone_days) * 3 {
        warnings.push(format!(
            "The recovery point is {days} days old, and one of {tombstone_days} days can't be put back any more: make a new one soon"
        ));
    }
    warnings.push(match wish.is_authoritative {
        true => "Authoritatively restored, what comes back wins over what every other domain controller has: do so only if none is \
                 left, or if the data there is to be thrown away"
            .to_owned(),
        false => "If another domain controller lives, promoting a new one is mostly better than restoring this one".to_owned(),
    });
    Ok(warnings)
}

/// Whatever is asked for, it doesn't restart by itself: it would start the directory before `safeboot` is removed.
pub(super) fn steps(point: &Point, place: &Place, here: &Here, wish: Wish) -> Vec<Step> {
    let mut steps = Vec::new();
    if !here.is_in_directory_repair {
        steps.push(Step::run(
            "Let the next start be one for the repair of the directory",
            Line::of(&["bcdedit", "/set", "safeboot", "dsrepair"]),
        ));
        steps.push(Step::restart(
            "Restart, and sign in as `.\\Administrator` with the password for Directory Services Restore Mode",
        ));
    }
    let wish = Wish { restarts_by_itself: false, ..wish };
    steps.push(Step::run(
        format!("See that the version `{}` is listed", point.version),
        listing_line(point, place),
    ));
    steps.push(Step::run(
        "Put the System State back; it can't be stopped half way without damage",
        recovery_line(point, place, wish),
    ));
    steps.push(Step::run(
        "Let the next start be an ordinary one",
        Line::of(&["bcdedit", "/deletevalue", "safeboot"]),
    ));
    steps.push(Step::restart("Restart: files in use are replaced then"));
    steps.push(summary());
    steps.push(Step::run("See that the directory replicates", Line::of(&["repadmin", "/replsummary"])));
    steps
}
