//! The screen: a terminal of Linux, or that of a test.

use std::io::{self, IsTerminal, Stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::terminal::{
    self, Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{execute, queue};
use ratatui::layout::Rect;
use ratatui::{Frame, TerminalOptions, Viewport};
use signal_hook::consts::{SIGHUP, SIGTERM};

use super::keys::Key;
use crate::error::Error;

/// The size of a terminal that does not tell its own, as one at a serial line: 80 x 24.
const SERIAL: (u16, u16) = (80, 24);
/// Between two looks at whether the program is to end.
const STEP: Duration = Duration::from_millis(200);

/// What is drawn on, and where keys come from.
pub trait Screen {
    /// Draws all of it.
    ///
    /// # Errors
    /// Those of the output.
    fn draw(&mut self, draw: &mut dyn FnMut(&mut Frame)) -> io::Result<()>;

    /// The next key; none: there was none for so long.
    ///
    /// # Errors
    /// Those of the input.
    fn key(&mut self, wait: Duration) -> io::Result<Option<Key>>;
}

/// The terminal that the program was started in, which is as before when this is dropped.
#[derive(Debug)]
pub struct Terminal {
    inner: ratatui::Terminal<CrosstermBackend<Stdout>>,
    size: (u16, u16),
    ended: Arc<AtomicBool>,
}

impl Terminal {
    /// Takes the terminal.
    ///
    /// # Errors
    /// Standard input or output is none, or it cannot be set.
    pub fn enter() -> Result<Self, Error> {
        if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
            let text =
                "top needs a terminal as its input and output; `vms` and `stats VM` print once, `watch` what changes";
            return Err(Error::Wrong(text.to_owned()));
        }
        let ended = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&ended))?;
        }
        let size = size();
        let backend = CrosstermBackend::new(io::stdout());
        let inner =
            ratatui::Terminal::with_options(backend, TerminalOptions { viewport: Viewport::Fixed(area(size)) })?;
        enable_raw_mode()?;
        let screen = Self { inner, size, ended };
        execute!(io::stdout(), EnterAlternateScreen, Hide, Clear(ClearType::All))?;
        Ok(screen)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nobody is left to be told that it did not work.
        let _ = execute!(io::stdout(), Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}

impl Screen for Terminal {
    fn draw(&mut self, draw: &mut dyn FnMut(&mut Frame)) -> io::Result<()> {
        let size = size();
        if size != self.size {
            self.size = size;
            queue!(io::stdout(), Clear(ClearType::All))?;
            self.inner.resize(area(size))?;
        }
        self.inner.draw(|frame| draw(frame))?;
        Ok(())
    }

    fn key(&mut self, wait: Duration) -> io::Result<Option<Key>> {
        let end = Instant::now() + wait;
        loop {
            if self.ended.load(Ordering::Relaxed) {
                return Ok(Some(Key::Interrupt));
            }
            let rest = end.saturating_duration_since(Instant::now());
            if event::poll(rest.min(STEP))? {
                match event::read()? {
                    Event::Key(key) => match meaning(key) {
                        Some(key) => return Ok(Some(key)),
                        None => continue,
                    },
                    Event::Resize(..) => return Ok(Some(Key::Resized)),
                    _ => continue,
                }
            }
            if rest.is_zero() {
                return Ok(None);
            }
        }
    }
}

/// The size that the terminal tells, or that of one that does not.
fn size() -> (u16, u16) {
    terminal::size().ok().filter(|(width, height)| *width != 0 && *height != 0).unwrap_or(SERIAL)
}

const fn area((width, height): (u16, u16)) -> Rect {
    Rect { x: 0, y: 0, width, height }
}

/// What a key means; none: nothing.
fn meaning(key: KeyEvent) -> Option<Key> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    Some(match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Key::Interrupt,
        KeyCode::Char(_) if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => return None,
        KeyCode::Char(character) => Key::Character(character),
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Home => Key::First,
        KeyCode::End => Key::Last,
        KeyCode::Tab => Key::Tab,
        KeyCode::Esc => Key::Escape,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_meanings() {
        let key = |code, modifiers| meaning(KeyEvent::new(code, modifiers));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Key::Interrupt));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::NONE), Some(Key::Character('c')));
        assert_eq!(key(KeyCode::Char('S'), KeyModifiers::SHIFT), Some(Key::Character('S')));
        assert_eq!(key(KeyCode::Char('s'), KeyModifiers::ALT), None);
        assert_eq!(key(KeyCode::F(1), KeyModifiers::NONE), None);
    }
}
