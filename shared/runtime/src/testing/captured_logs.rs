use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::Targets;

use crate::logs;

/// The log lines of this thread from now on, as a function writes them with `LOG_LEVEL=trace`.
pub struct CapturedLogs {
    lines: Lines,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl CapturedLogs {
    /// Captures until the value is dropped.
    #[must_use]
    pub fn start() -> Self {
        let lines = Lines::default();
        let writer = lines.clone();
        let filter = Targets::new().with_default(LevelFilter::TRACE);
        let subscriber = logs::subscriber(filter, move || writer.clone());
        Self { lines, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// All lines so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.lines.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl fmt::Debug for CapturedLogs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapturedLogs").finish_non_exhaustive()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
