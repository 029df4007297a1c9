//! Whether the vault still has the key slots that this home gave it: without them nobody can restore once this home is
//! gone, however whole the packs are.

use stateward_engine::{VaultError, VaultRead};
use stateward_format::manifest::Warning;
use stateward_model::SlotHash;
use std::collections::BTreeSet;

/// A problem for each slot that is not there as it was made.
pub fn check(vault: &dyn VaultRead, expected: &[SlotHash]) -> Result<Vec<Warning>, VaultError> {
    let found: BTreeSet<SlotHash> = match vault.slots() {
        Ok(objects) => objects.iter().map(|object| stateward_format::slot::hash(object)).collect(),
        // The vault is there and can't give them.
        Err(error @ (VaultError::NotFound(_) | VaultError::Failed(_) | VaultError::BadAnswer(_))) => {
            return Ok(vec![problem(format!("Key slots can't be read: {error}"))]);
        }
        Err(error) => return Err(error),
    };
    let missing = expected.iter().filter(|slot| !found.contains(slot));
    Ok(missing.map(|slot| problem(format!("Key slot {slot} is damaged or missing"))).collect())
}

fn problem(message: String) -> Warning {
    Warning { code: "slot-damaged".to_owned(), path: Vec::new(), message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_engine::PointSummary;
    use stateward_format::point::PackReference;
    use std::ops::Range;

    struct Slots(Result<Vec<Vec<u8>>, VaultError>);

    impl VaultRead for Slots {
        fn points(&self) -> Result<Vec<PointSummary>, VaultError> {
            Ok(Vec::new())
        }
        fn point(&self, _: PointSummary) -> Result<Vec<u8>, VaultError> {
            Err(VaultError::NotFound("point".to_owned()))
        }
        fn receipt(&self, _: PointSummary) -> Result<Option<Vec<u8>>, VaultError> {
            Ok(None)
        }
        fn slots(&self) -> Result<Vec<Vec<u8>>, VaultError> {
            self.0.clone()
        }
        fn read_pack(&self, _: PackReference, _: Range<u32>) -> Result<Vec<u8>, VaultError> {
            Err(VaultError::NotFound("pack".to_owned()))
        }
    }

    #[test]
    fn a_slot_that_is_not_as_it_was_made_is_a_problem() {
        let (one, two) = (b"one".to_vec(), b"two".to_vec());
        let expected = [&one, &two].map(|object| stateward_format::slot::hash(object));
        let problems = |slots| check(&Slots(slots), &expected).map(|problems| problems.len());
        assert_eq!(problems(Ok(vec![one.clone(), two.clone()])), Ok(0));
        assert_eq!(problems(Ok(vec![two, b"onf".to_vec()])), Ok(1));
        assert_eq!(problems(Ok(Vec::new())), Ok(2));
        assert_eq!(problems(Err(VaultError::Failed("It".to_owned()))), Ok(1));
        assert!(problems(Err(VaultError::Unreachable("It".to_owned()))).is_err());
    }
}
