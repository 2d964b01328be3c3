//! `pipelines/comment.sh` against a stand-in for the hosting service, which answers as it does, and as it should not.

mod support;

use std::fs;
use std::sync::Arc;

use support::hosting::{COMMENTS, Hosting, Request, answer};
use support::job::comment;
use support::put;

/// Writes this text with `comment.sh`: what it printed, and what it put into the summary.
fn write(hosting: &Hosting, text: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("summary");
    let said = comment(hosting, &put(folder.path(), "text", text), Some(&summary));
    (said, fs::read_to_string(summary).unwrap_or_default())
}

const TEXT: &str = "<!-- fastlua sizes abc -->\nnow\n";

#[test]
#[ignore = "needs python3"]
fn a_comment_is_found_again_on_any_page() {
    let others = [
        "one",
        "<!-- fastlua sizes -->\nother",
        "<!-- fastlua sizes abcd -->\nother",
    ];
    let hosting = Hosting::new(&others, |request, _| {
        assert_eq!(request.token, "Bearer secret");
        None
    });
    assert_eq!(write(&hosting, TEXT), (String::new(), String::new()));
    assert_eq!(hosting.comments()[3], TEXT);
    let asked = hosting.asked();
    assert_eq!(asked[0], format!("GET {COMMENTS}?per_page=100"));
    assert_eq!(asked[2], format!("POST {COMMENTS}"));
    // another run changes it, and no other
    let later = TEXT.replace("now", "later \u{fc}\"%0A");
    assert_eq!(write(&hosting, &later), (String::new(), String::new()));
    assert_eq!(
        hosting.asked().last().unwrap(),
        "PATCH /repos/a/b/issues/comments/4"
    );
    assert_eq!(hosting.comments()[..3], others);
    assert_eq!(hosting.comments()[3..], [later]);
    // the service may have changed the ends of lines
    let ends = TEXT.replace('\n', "\r\n");
    let hosting = Hosting::new(&[&ends], |_, _| None);
    write(&hosting, TEXT);
    assert_eq!(hosting.comments(), [TEXT]);
}

#[test]
#[ignore = "needs python3"]
fn a_comment_that_may_not_be_written_is_a_warning() {
    for (status, headers, message) in [
        (403, "", "Resource not accessible by integration"),
        (401, "", "Bad credentials"),
        (404, "", "Not Found"),
        (422, "", "Validation Failed 100%"),
        (410, "", "Gone"),
        (500, "", "Server Error"),
        (502, "", "Bad Gateway"),
        (503, "", "Unavailable"),
        (429, "", "Too many"),
        (429, "Retry-After: 3600\r\n", "Too many"),
        (
            403,
            "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 99999999999\r\n",
            "API rate limit exceeded",
        ),
        (403, "", "You have exceeded a secondary rate limit"),
    ] {
        let writes = move |r: &Request, _| {
            (r.method != "GET")
                .then(|| answer(status, headers, message))
                .flatten()
        };
        let all = move |_: &Request, _| answer(status, headers, message);
        for hosting in [
            Hosting::new(&[], writes),
            Hosting::new(&[TEXT], writes),
            Hosting::new(&[], all),
        ] {
            let before = hosting.comments();
            let (said, summary) = write(&hosting, TEXT);
            let start = "::warning::no comment was written, the sizes are in the job's summary: ";
            assert!(
                said.starts_with(start) && said.lines().count() == 1,
                "{said}"
            );
            assert!(
                said.contains(&format!("{status} {}", message.replace('%', "%25"))),
                "{said}"
            );
            assert_eq!(summary, TEXT, "{status}");
            assert_eq!(hosting.comments(), before, "{status}");
            let tries = hosting.asked().len();
            assert!(tries <= 8, "{status}: {tries}");
        }
    }
    let hosting = Hosting::new(&[], |_, _| {
        answer(403, "", "Resource not accessible by integration")
    });
    let (said, _) = write(&hosting, TEXT);
    assert!(
        said.contains("from forks (permission pull-requests: write)"),
        "{said}"
    );
}

#[test]
#[ignore = "needs python3"]
fn faults_that_pass_are_tried_again() {
    for (status, headers) in [
        (500, ""),
        (503, ""),
        (408, ""),
        (429, "Retry-After: 0\r\n"),
        (403, "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1\r\n"),
    ] {
        for at in [0, 1] {
            let once =
                move |_: &Request, n| (n == at).then(|| answer(status, headers, "wait")).flatten();
            let hosting = Hosting::new(&[], once);
            assert_eq!(
                write(&hosting, TEXT),
                (String::new(), String::new()),
                "{status}"
            );
            assert_eq!(hosting.comments(), [TEXT], "{status}");
        }
    }
    // written, though the answer is an error: not written twice
    let hosting = Hosting::new(&[], |_, _| None);
    let state = Arc::clone(&hosting.state);
    let lost = Hosting::new(&[], move |request, _| {
        if request.method == "POST" {
            state.lock().unwrap().comments.push((1, TEXT.into()));
            return answer(502, "", "lost");
        }
        let shown = state.lock().unwrap().comments.clone();
        let shown: Vec<_> = shown
            .iter()
            .map(|(id, body)| serde_json::json!({"id": id, "body": body}))
            .collect();
        Some((200, String::new(), serde_json::json!(shown).to_string()))
    });
    assert_eq!(write(&lost, TEXT).0, "");
    assert_eq!(hosting.comments().len(), 1);
}

#[test]
#[ignore = "needs python3"]
fn a_comment_of_somebody_else_is_left_alone() {
    for status in [403, 404] {
        let patch = move |r: &Request, _| {
            (r.path.ends_with("/1"))
                .then(|| answer(status, "", "not yours"))
                .flatten()
        };
        let hosting = Hosting::new(&[TEXT], patch);
        for text in [
            "<!-- fastlua sizes abc -->\nthen",
            "<!-- fastlua sizes abc -->\nlater",
        ] {
            assert_eq!(write(&hosting, text).0, "");
            assert_eq!(hosting.comments(), [TEXT, text]);
        }
    }
}

#[test]
#[ignore = "needs python3"]
fn answers_that_are_no_answers_and_long_texts() {
    for content in [
        "",
        "no JSON",
        "{\"a\": 1}",
        "[1, 2]",
        "[{\"id\": 3, \"body\": null}]",
    ] {
        let odd = move |r: &Request, _| {
            (r.method == "GET").then(|| (200, String::new(), content.to_owned()))
        };
        let hosting = Hosting::new(&[], odd);
        let (said, _) = write(&hosting, TEXT);
        assert!(
            said.is_empty() || said.starts_with("::warning::no comment was written"),
            "{said}"
        );
    }
    // the token goes to no other place
    let elsewhere = Hosting::new(&[], |_, _| None);
    let link = format!("Link: <{}/page>; rel=\"next\"\r\n", elsewhere.address);
    let hosting = Hosting::new(&[], move |r: &Request, _| {
        (r.method == "GET").then(|| (200, link.clone(), "[]".to_owned()))
    });
    write(&hosting, TEXT);
    assert!(elsewhere.asked().is_empty());
    let moved = format!("Location: {}/page\r\n", elsewhere.address);
    let hosting = Hosting::new(&[], move |_, _| Some((302, moved.clone(), String::new())));
    write(&hosting, TEXT);
    let asked = &elsewhere.state.lock().unwrap().asked;
    assert!(asked.iter().all(|request| request.token.is_empty()));

    let hosting = Hosting::new(&[], |_, _| None);
    let long = format!("{TEXT}{}", "one more line\n".repeat(10_000));
    write(&hosting, &long);
    let text = &hosting.comments()[0];
    assert!(
        text.len() < 65_536 && text.ends_with("line\n\nThe rest is in the job's summary."),
        "{}",
        text.len()
    );
}
