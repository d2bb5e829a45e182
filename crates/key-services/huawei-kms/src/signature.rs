//! The signature `SDK-HMAC-SHA256` (key-services.md section 8.2).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign as hmac};
use ksops_transport::message::{Method, Request};
use zeroize::Zeroizing;

const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// Adds the headers that prove who sends the request: `X-Sdk-Date` (`date`, as `20260102T030405Z`) and `Authorization`. Every header
/// that it has already but the content type is signed, too.
pub(crate) fn sign(mut request: Request, access_key: &str, secret_key: &str, date: &str) -> Request {
    request = request.with_header("x-sdk-date", date);
    let mut headers: Vec<(String, Zeroizing<String>)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .filter(|(name, _)| name != "content-type")
        .collect();
    headers.sort_by(|one, other| one.0.cmp(&other.0));
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let (path, query) = path_and_query(&request.url);
    let mut canonical = Zeroizing::new(format!("{}\n{path}\n{query}\n", word(request.method)));
    for (name, value) in &headers {
        canonical.push_str(&format!("{name}:{}\n", value.trim()));
    }
    canonical.push_str(&format!("\n{names}\n{}", hex(digest(&SHA256, &request.body).as_ref())));
    let text = format!("{ALGORITHM}\n{date}\n{}", hex(digest(&SHA256, canonical.as_bytes()).as_ref()));
    let signature = hmac(&Key::new(HMAC_SHA256, secret_key.as_bytes()), text.as_bytes());
    let value = format!(
        "{ALGORITHM} Access={access_key}, SignedHeaders={names}, Signature={}",
        hex(signature.as_ref())
    );
    request.with_header("authorization", &value)
}

fn word(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
    }
}

/// The path with a slash at its end, and the query with its parts in order.
fn path_and_query(url: &str) -> (String, String) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut parts: Vec<&str> = query.split('&').collect();
    parts.sort_unstable();
    let slash = if path.ends_with('/') { "" } else { "/" };
    (format!("{path}{slash}"), parts.join("&"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use ksops_transport::message::{Method, Request};

    use super::{path_and_query, sign};

    #[test]
    fn the_secret_decides_the_signature_and_is_not_sent() {
        let signed = |secret: &str, body: &[u8]| {
            let mut request = Request::new(Method::Post, "https://h/v1.0/p/kms/encrypt-data")
                .with_header("content-type", "application/json")
                .with_header("X-Project-Id", "p");
            request.body.extend_from_slice(body);
            let request = sign(request, "AK", secret, "20260102T030405Z");
            let (_, value) = request.headers.last().expect("signed");
            value.to_string()
        };
        let one = signed("hush", b"a");
        assert!(
            one.starts_with("SDK-HMAC-SHA256 Access=AK, SignedHeaders=x-project-id;x-sdk-date, Signature="),
            "{one}"
        );
        assert_eq!(one, signed("hush", b"a"));
        assert!(one != signed("other", b"a") && one != signed("hush", b"b") && !one.contains("hush"));
    }

    #[test]
    fn paths_and_queries_have_their_canonical_form() {
        assert_eq!(path_and_query("https://h/a/b?z=1&a=2"), ("/a/b/".to_owned(), "a=2&z=1".to_owned()));
        assert_eq!(path_and_query("https://h"), ("/".to_owned(), String::new()));
    }
}
