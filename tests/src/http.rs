//! A small HTTP server on the loopback interface, for services that the product asks or that cargo asks for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// A request as the client sent it.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `PUT` …
    pub method: String,
    /// The path with what stands behind `?`.
    pub target: String,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What the client gets.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status with its reason, as in `200 OK`.
    pub status: String,
    /// Headers beyond length and connection.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the body comes again and again, until the client goes away.
    pub endless: bool,
}

impl Response {
    /// A response with this status and body.
    pub fn new(status: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: status.to_owned(),
            headers: Vec::new(),
            body: body.into(),
            endless: false,
        }
    }

    /// `200 OK` with this body, again and again.
    pub fn endless(body: impl Into<Vec<u8>>) -> Self {
        Self {
            endless: true,
            ..Self::ok(body)
        }
    }

    /// `200 OK` with this body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new("200 OK", body)
    }

    /// `404 Not Found`.
    pub fn missing() -> Self {
        Self::new("404 Not Found", "")
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Answers every request until the process ends; returns the port.
///
/// # Panics
/// When no loopback port is free.
pub fn serve(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> u16 {
    accept(move |stream| converse(stream, &answer))
}

/// As [`serve`], for answers that are none: `answer` writes to the connection itself, the head included, until it fails.
///
/// # Panics
/// When no loopback port is free.
pub fn serve_raw(answer: impl Fn(&Request, &mut dyn Write) -> std::io::Result<()> + Send + Sync + 'static) -> u16 {
    let answer = Arc::new(answer);
    accept(move |stream| {
        let mut reader = BufReader::new(stream);
        let request = received(&mut reader)?;
        answer(&request, reader.get_mut())
    })
}

/// Has a conversation with every client, each in a thread of its own; returns the port.
///
/// # Panics
/// When no loopback port is free.
pub fn accept(converse: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port is free");
    let port = listener.local_addr().expect("a bound listener has an address").port();
    let converse = Arc::new(converse);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let converse = Arc::clone(&converse);
            // A client that goes away in the middle is its own business.
            thread::spawn(move || drop(converse(stream)));
        }
    });
    port
}

/// Sends a request to a server on the loopback interface, and waits for its answer.
///
/// # Errors
/// When the connection fails or what comes back is no answer.
pub fn send(port: u16, request: &Request) -> std::io::Result<Response> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    let own = ["host", "connection", "content-length", "expect", "accept-encoding"];
    for (name, value) in request.headers.iter().filter(|(name, _)| !own.contains(&name.as_str())) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!(
        "Host: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        request.body.len()
    ));
    stream.write_all(head.as_bytes())?;
    stream.write_all(&request.body)?;
    let mut received = Vec::new();
    stream.read_to_end(&mut received)?;
    let malformed = || std::io::Error::other("no answer");
    let end = received
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or_else(malformed)?;
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let (_, status) = head
        .lines()
        .next()
        .and_then(|line| line.split_once(' '))
        .ok_or_else(malformed)?;
    let mut response = Response::new(status, &received[end + 4..]);
    for (name, value) in head.lines().skip(1).filter_map(|line| line.split_once(':')) {
        match (name.to_ascii_lowercase().as_str(), value.trim()) {
            ("transfer-encoding", "chunked") => response.body = joined(&response.body).ok_or_else(malformed)?,
            ("content-length" | "connection", _) => {}
            (_, value) => response.headers.push((name.to_owned(), value.to_owned())),
        }
    }
    Ok(response)
}

/// The body that came in chunks.
fn joined(mut chunks: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = chunks.windows(2).position(|window| window == b"\r\n")?;
        let length = std::str::from_utf8(&chunks[..end]).ok()?.split(';').next()?;
        let length = usize::from_str_radix(length.trim(), 16).ok()?;
        let rest = &chunks[end + 2..];
        if length == 0 {
            return Some(body);
        }
        body.extend(rest.get(..length)?);
        chunks = rest.get(length + 2..)?;
    }
}

/// Has a conversation with one client: its request, and the answer.
///
/// # Errors
/// When the client goes away.
pub fn converse<S: Read + Write>(stream: S, answer: &(impl Fn(&Request) -> Response + ?Sized)) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let request = received(&mut reader)?;
    let response = answer(&request);
    let mut head = format!("HTTP/1.1 {}\r\n", response.status);
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let stream = reader.get_mut();
    if response.endless {
        head.push_str("Connection: close\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        loop {
            stream.write_all(&response.body)?;
        }
    }
    head.push_str(&format!(
        "Content-Length: {}\r\nConnection: close\r\n\r\n",
        response.body.len()
    ));
    stream.write_all(head.as_bytes())?;
    stream.write_all(&response.body)?;
    stream.flush()
}

fn received<S: Read + Write>(reader: &mut BufReader<S>) -> std::io::Result<Request> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_ascii_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let mut request = Request {
        method,
        target,
        headers,
        body: Vec::new(),
    };
    if request.header("expect").is_some() {
        reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let length = request.header("content-length").and_then(|length| length.parse().ok());
    reader.take(length.unwrap_or(0)).read_to_end(&mut request.body)?;
    Ok(request)
}
