//! `membermail member export`: writes everything stored about a member into a file. The terminal shows no e-mail address.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use membermail_core::clock::Clock;
use membermail_core::member::MemberId;
use membermail_store::{Export, Store};
use serde::Serialize;

use super::find::find_survivor;
use crate::context::Context;
use crate::failure::Failure;
use crate::secret::fetch_sealer;

/// `member export`
#[derive(Debug, Serialize)]
struct ExportView {
    member: MemberId,
    file: PathBuf,
    /// The member, and those linked to it.
    members: usize,
    addresses: usize,
    destinations: usize,
}

pub(super) async fn export(context: &Context, store: &Store, name: &str, file: &Path) -> Result<(), Failure> {
    let cause = context.operator.cause()?;
    let member = find_survivor(context, store, name).await?;
    context.output.note(format!("{name} is member {}", member.id));
    let sealer = fetch_sealer(context).await?;
    let export = store.export(&sealer, &member, context.operator.clock.now()).await?;
    let mut out = create(file)?;
    // Before the file has anything: no export is without its entry in the log.
    let written = async {
        store.record_export(member.id, cause, context.operator.random()).await?;
        write(&mut out, &export)
    };
    if let Err(failure) = written.await {
        // An incomplete export is of no use. The failure is the news; that of the removal would hide it.
        let _ = std::fs::remove_file(file);
        return Err(failure);
    }
    context.output.show(&ExportView::new(member.id, file, &export))
}

/// Creates a file that only its owner can read. An existing one stays as it is.
fn create(file: &Path) -> Result<File, Failure> {
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    created.map_err(|cause| match cause.kind() {
        ErrorKind::AlreadyExists => Failure::Usage(format!("{} exists and is not overwritten", file.display())),
        _ => Failure::Other(format!("cannot create {}: {cause}", file.display())),
    })
}

fn write(out: &mut File, export: &Export) -> Result<(), Failure> {
    let mut text = serde_json::to_vec_pretty(export).map_err(std::io::Error::from)?;
    text.push(b'\n');
    out.write_all(&text)?;
    Ok(out.sync_all()?)
}

impl ExportView {
    fn new(member: MemberId, file: &Path, export: &Export) -> Self {
        Self {
            member,
            file: file.to_owned(),
            members: export.members.len(),
            addresses: export.members.iter().map(|member| member.addresses.len()).sum(),
            destinations: export.members.iter().map(|member| member.destinations.len()).sum(),
        }
    }
}

impl fmt::Display for ExportView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { member, file, addresses, destinations, .. } = self;
        writeln!(f, "Wrote the data of {member} to {}.", file.display())?;
        writeln!(f, "It has {addresses} addresses and {destinations} destinations. Delete it when the member has it.")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn file_is_private_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("alice.json");
        let mut out = create(&file).unwrap();
        let export =
            Export { format: "membermail-export/1", exported_at: jiff::Timestamp::UNIX_EPOCH, members: Vec::new() };
        write(&mut out, &export).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let written = std::fs::read_to_string(&file).unwrap();
        assert!(written.contains("\"membermail-export/1\"") && written.ends_with("}\n"), "{written}");
        assert_eq!(create(&file).unwrap_err().kind(), "usage");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), written);
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), folder.path().join("link")).unwrap();
        assert_eq!(create(&folder.path().join("link")).unwrap_err().kind(), "usage", "no link is followed");
        assert_eq!(create(&folder.path().join("no/such/folder")).unwrap_err().kind(), "failed");
        let member = MemberId::parse("01KATW4Y00ZZZZZZZZZZZZZZZZ").unwrap();
        let view = ExportView::new(member, Path::new("alice.json"), &export).to_string();
        assert!(view.starts_with("Wrote the data of 01KATW4Y00ZZZZZZZZZZZZZZZZ to alice.json.\n"), "{view}");
    }
}
