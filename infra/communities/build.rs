//! Turns every community file of this folder into JSON within the crate, and refuses a broken one with the line.

#[path = "src/check.rs"]
mod check;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=.");
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml") && !path.ends_with("Cargo.toml"));
    files.sort();
    let mut table = String::from("&[\n");
    for path in files {
        let name = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a community file with an odd name")?;
        match check::read(&fs::read_to_string(&path)?) {
            Ok(community) => table.push_str(&format!("({name:?}, {:?}),\n", serde_json::to_string(&community)?)),
            Err(mistakes) => {
                for mistake in mistakes {
                    println!(
                        "cargo::error={}:{}: {}",
                        path.display(),
                        mistake.line,
                        mistake.reason.replace('\n', "; ")
                    );
                }
            }
        }
    }
    table.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("communities.rs"), table)?;
    Ok(())
}
