//! Reads what a child writes, in a thread: a pipe may block for ever, and whoever waits for it does so with a time limit.
//!
//! The threads are detached on purpose. If a foreign process keeps the pipe open for ever, so does the thread, and we say so and go.

use std::io::{self, BufRead as _, BufReader, Read};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use zeroize::Zeroizing;

/// All of a stream, or one byte more than the limit; what writes on then finds nobody listening.
pub(super) fn all(pipe: impl Read + Send + 'static, limit: usize) -> Receiver<Vec<u8>> {
    in_background(move |sender| {
        let mut bytes = Vec::new();
        // What was read before a failure is judged like any other end that came too early.
        let _ = pipe.take(limit as u64 + 1).read_to_end(&mut bytes);
        // Nobody waits any more after an error elsewhere; likewise below.
        let _ = sender.send(bytes);
    })
}

/// The first line of a stream with its end, or one byte more than the limit: perhaps a secret.
pub(super) fn first_line(pipe: impl Read + Send + 'static, limit: usize) -> Receiver<io::Result<Zeroizing<Vec<u8>>>> {
    in_background(move |sender| {
        let mut reader = BufReader::new(pipe);
        let mut line = Zeroizing::new(Vec::new());
        let read = reader.by_ref().take(limit as u64 + 1).read_until(b'\n', &mut line);
        let _ = sender.send(read.map(|_| line));
        // What else is written is not wanted, and must not keep the writer from ending.
        let _ = io::copy(&mut reader, &mut io::sink());
    })
}

/// Every line of a stream with its end. The reader waits while nobody takes them.
pub(super) fn lines(pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::sync_channel(1024);
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        loop {
            let mut line = Vec::new();
            match reader.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) if sender.send(line).is_err() => break,
                Ok(_) => {}
            }
        }
    });
    receiver
}

fn in_background<T: Send + 'static>(read: impl FnOnce(Sender<T>) + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || read(sender));
    receiver
}
