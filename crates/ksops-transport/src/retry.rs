//! Retries of one request: what is retried, how long is waited, and when it is not worth waiting
//! (key-services.md section 2.7).

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::https::{HttpError, HttpErrorKind, HttpsClient};
use crate::message::{Request, Response};
use crate::pace::Pace;
use crate::runtime;

/// How often and after which wait a request is sent again.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// How many times after the first.
    pub retries: u32,
    /// The unit of waiting: unit × (2ⁿ − 1) before the n-th retry.
    pub unit: Duration,
    /// No wait of our own is longer.
    pub cap: Duration,
    /// The statuses that are retried.
    pub statuses: Vec<u16>,
    /// What the process keeps to toward this service, if there is such a thing.
    pub pace: Option<Arc<Pace>>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 3,
            unit: Duration::from_millis(800),
            cap: Duration::from_secs(60),
            statuses: vec![408, 429, 500, 502, 503, 504],
            pace: None,
        }
    }
}

/// Sends a request until it gets an answer that is not to be retried. A wait that would pass the limit of
/// [`runtime::block_on_within`] is not begun: the failure at hand is given back instead.
///
/// # Errors
/// [`HttpError`] of the last attempt.
pub async fn send(
    client: &HttpsClient,
    request: &Request,
    policy: &RetryPolicy,
) -> Result<Response, HttpError> {
    let mut retry = 0;
    loop {
        let result = policy.send_once(client, request).await;
        if retry >= policy.retries || !policy.wants_another(&result) {
            return result;
        }
        retry += 1;
        let asked = result.as_ref().ok().and_then(|response| retry_after(response, SystemTime::now()));
        let wait = asked.unwrap_or_else(|| policy.wait(retry, jitter()));
        if runtime::left().is_some_and(|left| wait >= left) {
            return result;
        }
        if let (Some(pace), Ok(429)) = (&policy.pace, result.as_ref().map(|response| response.status)) {
            pace.hold_back(wait);
        }
        tokio::time::sleep(wait).await;
    }
}

impl RetryPolicy {
    async fn send_once(&self, client: &HttpsClient, request: &Request) -> Result<Response, HttpError> {
        match &self.pace {
            None => client.send(request).await,
            Some(pace) => {
                let _turn = pace.turn(runtime::left()).await;
                client.send(request).await
            }
        }
    }

    fn wants_another(&self, result: &Result<Response, HttpError>) -> bool {
        match result {
            Ok(response) => self.statuses.contains(&response.status),
            Err(error) => !matches!(error.kind, HttpErrorKind::Setup | HttpErrorKind::Certificate),
        }
    }

    /// The wait before a retry; `jitter` is a factor.
    fn wait(&self, retry: u32, jitter: f64) -> Duration {
        let steps = 2_u32.saturating_pow(retry).saturating_sub(1);
        self.unit.saturating_mul(steps).min(self.cap).mul_f64(jitter).min(self.cap)
    }
}

/// A factor between 0.8 and 1.3. It only has to differ between processes, so the seed of a hash map is good enough.
fn jitter() -> f64 {
    let random = RandomState::new().build_hasher().finish() % 1000;
    let random = u32::try_from(random).unwrap_or_default();
    0.8 + f64::from(random) / 2000.0
}

/// How long the service asks to wait.
fn retry_after(response: &Response, now: SystemTime) -> Option<Duration> {
    let milliseconds = ["retry-after-ms", "x-ms-retry-after-ms"];
    if let Some(value) = milliseconds.iter().find_map(|name| response.header(name)?.trim().parse().ok()) {
        return Some(Duration::from_millis(value));
    }
    let value = response.header("retry-after")?.trim();
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(http_date(value)?.duration_since(now).unwrap_or_default()),
    }
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<SystemTime> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [_, day, month, year, clock, "GMT"] = words.as_slice() else {
        return None;
    };
    let day: u64 = day.parse().ok().filter(|day| (1..=31).contains(day))?;
    let month = MONTHS.iter().position(|known| known == month)?;
    let year: u64 = year.parse().ok().filter(|year| (1970..=9999).contains(year))?;
    let mut fields = clock.split(':').map(str::parse::<u64>);
    let (hours, minutes, seconds) = (fields.next()?.ok()?, fields.next()?.ok()?, fields.next()?.ok()?);
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    // Days before each month of a year without a leap day.
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leaps_until = |year: u64| year / 4 - year / 100 + year / 400;
    let is_leap = leaps_until(year) > leaps_until(year - 1);
    let leap_day = u64::from(is_leap && month > 1);
    let days =
        (year - 1970) * 365 + leaps_until(year - 1) - leaps_until(1969) + BEFORE[month] + leap_day + day - 1;
    Some(UNIX_EPOCH + Duration::from_secs(((days * 24 + hours) * 60 + minutes) * 60 + seconds))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

    use zeroize::Zeroizing;

    use super::{RetryPolicy, http_date, retry_after, send};
    use crate::https::{HttpErrorKind, HttpsClient, HttpsSettings};
    use crate::message::{Method, Request, Response, Route};
    use crate::runtime::{block_on, block_on_within};

    fn answer(headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Response { status: 429, headers, body: Zeroizing::default() }
    }

    fn quick() -> RetryPolicy {
        RetryPolicy { unit: Duration::from_millis(1), ..RetryPolicy::default() }
    }

    /// Answers each connection with the next of `answers`, then closes it.
    fn serve(answers: Vec<&'static str>) -> (Request, std::thread::JoinHandle<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("address"));
        let handle = std::thread::spawn(move || {
            let mut served = 0;
            for answer in answers {
                let (mut stream, _) = listener.accept().expect("a connection");
                let _ = stream.read(&mut [0; 4096]).expect("a request");
                stream.write_all(answer.as_bytes()).expect("written");
                served += 1;
            }
            served
        });
        (Request { route: Route::Direct, ..Request::new(Method::Get, url) }, handle)
    }

    const BUSY: &str = "HTTP/1.1 503 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const FINE: &str = "HTTP/1.1 200 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    #[test]
    fn retries_statuses_and_broken_connections() {
        let (request, server) = serve(vec![BUSY, "", FINE]);
        let status = block_on(async move {
            let client = HttpsClient::new(&HttpsSettings::default())?;
            send(&client, &request, &quick()).await.map(|response| response.status)
        });
        assert_eq!(status.expect("runtime"), Ok(200));
        assert_eq!(server.join().expect("served"), 3);
    }

    #[test]
    fn gives_up_after_the_last_retry() {
        let (request, server) = serve(vec![BUSY; 4]);
        let status = block_on(async move {
            let client = HttpsClient::new(&HttpsSettings::default())?;
            send(&client, &request, &quick()).await.map(|response| response.status)
        });
        assert_eq!(status.expect("runtime"), Ok(503));
        assert_eq!(server.join().expect("served"), 4);
    }

    #[test]
    fn a_wait_beyond_the_limit_is_not_begun() {
        let (request, _server) =
            serve(vec!["HTTP/1.1 429 X\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n"]);
        let begun = Instant::now();
        let status = block_on_within(Duration::from_secs(20), async move {
            let client = HttpsClient::new(&HttpsSettings::default())?;
            send(&client, &request, &RetryPolicy::default()).await.map(|response| response.status)
        });
        assert_eq!(status.expect("within the limit"), Ok(429));
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_refused_connection_does_not_take_long() {
        let begun = Instant::now();
        let request = Request { route: Route::Direct, ..Request::new(Method::Get, "http://127.0.0.1:1/") };
        let kind = block_on(async move {
            let client = HttpsClient::new(&HttpsSettings::default())?;
            send(&client, &request, &quick()).await
        })
        .expect("runtime")
        .expect_err("refused")
        .kind;
        assert_eq!(kind, HttpErrorKind::Connect);
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn waits_grow_and_stay_below_the_cap() {
        let policy = RetryPolicy::default();
        let waits: Vec<u128> = (1..4).map(|retry| policy.wait(retry, 1.0).as_millis()).collect();
        assert_eq!(waits, [800, 2400, 5600]);
        assert_eq!(policy.wait(60, 1.3), policy.cap);
    }

    #[test]
    fn the_service_can_ask_for_a_wait_in_three_ways() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777 - 30);
        let asked = |headers: &[(&str, &str)]| retry_after(&answer(headers), now);
        assert_eq!(asked(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        assert_eq!(asked(&[("x-ms-retry-after-ms", "15")]), Some(Duration::from_millis(15)));
        assert_eq!(asked(&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]), Some(Duration::from_secs(30)));
        assert_eq!(asked(&[("retry-after", "soon")]), None);
        assert_eq!(asked(&[]), None);
    }

    #[test]
    fn dates_are_read_across_leap_years() {
        let seconds = |text| {
            http_date(text).and_then(|time: SystemTime| Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs()))
        };
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(seconds("Thu, 29 Feb 2024 12:00:00 GMT"), Some(1_709_208_000));
        assert_eq!(seconds("Fri, 01 Mar 2024 00:00:00 GMT"), Some(1_709_251_200));
        assert_eq!(seconds("Sat, 01 Jan 2000 00:00:00 GMT"), Some(946_684_800));
        assert_eq!(seconds("Thu, 32 Jan 1970 00:00:00 GMT"), None);
    }
}
