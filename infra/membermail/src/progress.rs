//! How far long work is: on standard error, where that is a terminal, and nowhere else.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Counts without knowing how many there are.
pub(crate) fn counting(what: &str) -> ProgressBar {
    styled(ProgressBar::new_spinner(), "{spinner} {msg}: {human_pos} ({elapsed})", what)
}

/// Counts towards a number.
pub(crate) fn towards(what: &str, most: u64) -> ProgressBar {
    styled(ProgressBar::new(most), "{spinner} {msg}: {wide_bar} {human_pos} of {human_len} ({eta} left)", what)
}

fn styled(bar: ProgressBar, template: &str, what: &str) -> ProgressBar {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
