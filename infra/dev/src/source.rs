//! Where what is built is from, for `GET /health`.

use std::process::Command;

use membermail_toolbox::workspace;

/// The parameter of the template that says so.
pub(crate) const PARAMETER: &str = "Build";

/// `<commit>/<its time>/<clean or modified>`, as `sso::build` reads it; empty for what is no clone, such as an archive.
pub(crate) fn source() -> String {
    let git = |arguments: &[&str]| -> Option<String> {
        let output = Command::new("git").current_dir(workspace()).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let parts = || {
        let commit = git(&["show", "--no-patch", "--format=%H/%cI", "HEAD"])?;
        let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
        Some(format!("{commit}/{}", if changes.is_empty() { "clean" } else { "modified" }))
    };
    parts().unwrap_or_default()
}
