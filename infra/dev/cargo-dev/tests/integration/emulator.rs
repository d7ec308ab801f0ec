//! The corrections of LocalStack.

use std::process::Command;

use anyhow::{Result, ensure};
use membermail_toolbox::{venv_program, workspace};

/// Prints the seconds of two full collections of as many objects as LocalStack keeps.
const TWO_COLLECTIONS: &str = "
import gc, time
from membermail_localstack.collector import Freezer

kept = [[i] for i in range(1_000_000)]
gc.callbacks.append(Freezer(long_seconds=0))
for _ in range(2):
    start = time.monotonic()
    gc.collect()
    print(time.monotonic() - start)
";

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn long_collection_is_not_repeated() -> Result<()> {
    let mut python = Command::new(venv_program("python"));
    python.args(["-c", TWO_COLLECTIONS]).env("PYTHONPATH", workspace().join("infra/dev/localstack/python"));
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    let output = python.output()?;
    let seconds: Vec<f64> = String::from_utf8(output.stdout)?.lines().map(str::parse).collect::<Result<_, _>>()?;
    let [first, second] = *seconds else { anyhow::bail!("{}", String::from_utf8_lossy(&output.stderr)) };
    ensure!(second < first / 10.0, "collections of {first} and {second} seconds");
    Ok(())
}
