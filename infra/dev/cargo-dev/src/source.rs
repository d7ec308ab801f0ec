//! The source revision of a build, for `GET /health`.

use std::process::Command;

use anyhow::Result;
use membermail_toolbox::{step, workspace};

/// Template parameter with the revision.
pub(crate) const PARAMETER: &str = "Build";

/// `<commit>/<commit time>/<clean or modified>`, as `sso::build` parses it; empty outside a git clone.
pub(crate) fn source() -> String {
    git_revision().unwrap_or_default()
}

fn git_revision() -> Result<String> {
    let mut show = Command::new("git");
    show.current_dir(workspace()).args(["show", "--no-patch", "--format=%H/%cI", "HEAD"]);
    let mut status = Command::new("git");
    status.current_dir(workspace()).args(["status", "--porcelain", "--untracked-files=no"]);
    let state = if step::capture(&mut status)?.is_empty() { "clean" } else { "modified" };
    Ok(format!("{}/{state}", step::capture(&mut show)?.trim()))
}
