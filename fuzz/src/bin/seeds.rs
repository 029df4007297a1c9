//! Writes the seeds of every target into its corpus: `cargo run -p stateward-fuzz --bin seeds`.

use std::io;

fn main() -> io::Result<()> {
    for target in stateward_fuzz::TARGETS {
        let folder = stateward_fuzz::corpus(target);
        std::fs::create_dir_all(&folder)?;
        for (number, seed) in stateward_fuzz::seeds::of(target.name).into_iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}
