//! Progress on standard error, if it is a terminal. Dropping a bar clears it.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A counter without a known total.
pub(crate) fn counter(label: &str) -> ProgressBar {
    styled(ProgressBar::new_spinner(), "{spinner} {msg}: {human_pos} ({elapsed})", label)
}

/// A progress bar with a total.
pub(crate) fn bar(label: &str, total: u64) -> ProgressBar {
    styled(ProgressBar::new(total), "{spinner} {msg}: {wide_bar} {human_pos} of {human_len} ({eta} left)", label)
}

fn styled(bar: ProgressBar, template: &str, label: &str) -> ProgressBar {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(label.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
