//! Answers that are none: endless, slow, huge, broken, led elsewhere.

use super::{Rig, assert_code};
use crate::behaviour::Behaviour;
use crate::proxy::{Answer, Line, Reply};
use stateward_e2e::process::program;
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

const LIST: &str = "GET /agent/v1/points";

/// The list of recovery points is asked for and answered with what this writes.
fn list_of_bytes(rig: &Rig, write: impl Fn(Line<'_>) -> io::Result<()> + Clone + Send + 'static) {
    rig.lie_about(LIST, move |_| Reply::Bytes(Box::new(write.clone())));
}

const NOT_USED: &str = "the command fails (`vault-answer`)";

const NOT_REACHED: &str = "tried again for a while; then the command fails (`vault-unreachable`)";

pub const NOT_JSON: Behaviour<Rig> = Behaviour {
    name: "answer-not-json",
    does: "A list is a page for people, is empty, is of another shape",
    outcome: NOT_USED,
    play: |rig| {
        for body in ["<html>Welcome</html>", "", "[]", r#"{"points":7}"#, r#"{"points":[{"sequence":-1}]}"#] {
            rig.answer(LIST, Answer::json(200, body));
            assert_code(rig.list(), 1, "vault-answer");
        }
    },
};

pub const DEEP_JSON: Behaviour<Rig> = Behaviour {
    name: "json-nested-deep",
    does: "A list is JSON nested half a million times",
    outcome: NOT_USED,
    play: |rig| {
        rig.answer(LIST, Answer::json(200, format!(r#"{{"x":{}"#, "[".repeat(500_000))));
        assert_code(rig.list(), 1, "vault-answer");
    },
};

pub const LONG_LIST: Behaviour<Rig> = Behaviour {
    name: "list-of-points-long",
    does: "A list says that it has 200 MiB, and comes",
    outcome: "not read (`vault-answer`)",
    play: |rig| {
        rig.answer(LIST, Answer::json(200, vec![b' '; 200 << 20]));
        assert_code(rig.list(), 1, "vault-answer");
    },
};

pub const ENDLESS: Behaviour<Rig> = Behaviour {
    name: "answer-without-end",
    does: "A list goes on and on, and never says how long it is",
    outcome: "read to the longest that any may be; then the command fails (`vault-answer`)",
    play: |rig| {
        list_of_bytes(rig, |line| {
            line.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
            let piece = [&b"100000\r\n"[..], &vec![b' '; 1 << 20], b"\r\n"].concat();
            loop {
                line.write_all(&piece)?;
            }
        });
        assert_code(rig.list(), 1, "vault-answer");
    },
};

pub const DRIP: Behaviour<Rig> = Behaviour {
    name: "answer-drips",
    does: "A list comes byte by byte, so that it is never quite silent",
    outcome: "below 1 KiB a second an answer counts as standing still; tried again for a while, then the command fails \
              (`vault-unreachable`)",
    play: |rig| {
        list_of_bytes(rig, |line| {
            line.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")?;
            loop {
                line.write_all(b" ")?;
                line.flush()?;
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        let outcome = assert_code(rig.list(), 10, "vault-unreachable");
        assert!(outcome.took < Duration::from_secs(40), "{:?}", outcome.took);
    },
};

pub const HEADERS: Behaviour<Rig> = Behaviour {
    name: "headers-without-end",
    does: "An answer's headers never end",
    outcome: NOT_REACHED,
    play: |rig| {
        list_of_bytes(rig, |line| {
            line.write_all(b"HTTP/1.1 200 OK\r\n")?;
            loop {
                line.write_all(b"x-more: and more and more and more\r\n")?;
            }
        });
        assert_code(rig.list(), 10, "vault-unreachable");
    },
};

pub const NEGATIVE_LENGTH: Behaviour<Rig> = Behaviour {
    name: "length-that-is-none",
    does: "An answer's length is negative, two numbers, or no number",
    outcome: NOT_REACHED,
    play: |rig| {
        for length in ["-5", "5, 6", "0x10", "99999999999999999999999999"] {
            list_of_bytes(rig, move |line| {
                let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{{}}");
                line.write_all(text.as_bytes())
            });
            assert_code(rig.list(), 10, "vault-unreachable");
        }
    },
};

pub const HUGE_LENGTH: Behaviour<Rig> = Behaviour {
    name: "length-of-exabytes",
    does: "An answer is said to have nine exabytes",
    outcome: "not read, and no memory is set aside for it (`vault-answer`)",
    play: |rig| {
        list_of_bytes(rig, |line| {
            line.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9223372036854775807\r\n\r\n{}")
        });
        assert_code(rig.list(), 1, "vault-answer");
    },
};

pub const BROKEN_OFF: Behaviour<Rig> = Behaviour {
    name: "answer-breaks-off",
    does: "An answer ends before its length does, or before it began",
    outcome: NOT_REACHED,
    play: |rig| {
        for text in
            ["HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"poi", "HTTP/1.1 200 OK\r\n", "", "\0\0\0\0"]
        {
            list_of_bytes(rig, move |line| line.write_all(text.as_bytes()));
            assert_code(rig.list(), 10, "vault-unreachable");
        }
    },
};

pub const REDIRECTED: Behaviour<Rig> = Behaviour {
    name: "redirected",
    does: "An answer leads to another host, which waits for the token that would come along",
    outcome: "not followed: nobody calls there (`vault-answer`)",
    play: |rig| {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        other.set_nonblocking(true).unwrap();
        let location = format!("https://{}/agent/v1/points", other.local_addr().unwrap());
        for status in [301, 302, 303, 307, 308] {
            let headers = vec![("location".to_owned(), location.clone())];
            rig.answer(LIST, Answer { status, headers, body: Vec::new() });
            assert_code(rig.list(), 1, "vault-answer");
        }
        assert_eq!(other.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    },
};

pub const COMPRESSED: Behaviour<Rig> = Behaviour {
    name: "answer-compressed",
    does: "A few kilobytes say that they are a gigabyte, compressed",
    outcome: "never decompressed: no compression was offered (`vault-answer`)",
    play: |rig| {
        let mut compressor = zstd::bulk::Compressor::new(1).unwrap();
        let body = compressor.compress(&vec![b' '; 1 << 30]).unwrap();
        for coding in ["zstd", "gzip", "br", "deflate"] {
            let headers = vec![("content-encoding".to_owned(), coding.to_owned())];
            rig.answer(LIST, Answer { status: 200, headers, body: body.clone() });
            assert_code(rig.list(), 1, "vault-answer");
        }
    },
};

pub const CONTENT_TYPE: Behaviour<Rig> = Behaviour {
    name: "content-type-wrong",
    does: "Right answers say that they are pictures, or nothing about what they are",
    outcome: "harmless: what is read is decided by what was asked",
    play: |rig| {
        rig.twist("*", |answer| {
            answer.headers = vec![("content-type".to_owned(), "image/png".to_owned())];
        });
        rig.backup().done();
        rig.restore().0.done();
        rig.twist("*", |answer| answer.headers.clear());
        rig.backup().done();
    },
};

pub const TERMINAL: Behaviour<Rig> = Behaviour {
    name: "refusal-that-steers-a-terminal",
    does: "A refusal's words hold the codes that clear a screen and write a prompt",
    outcome: "harmless: they are written out",
    play: |rig| {
        let words = "\u{1b}[2J\u{1b}[Hroot@host:~# \u{202e}\u{7}";
        rig.answer(LIST, Answer::refusal(500, "Internal", words));
        let mut command = Command::new(program("stateward"));
        command.arg("--home").arg(rig.server.home()).args(["recovery-point", "list"]);
        let outcome = rig.run(command).expect_code(1);
        let all = outcome.stdout + &outcome.stderr;
        assert!(all.contains("root@host") && !all.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{all:?}");
    },
};

pub const STARTING: Behaviour<Rig> = Behaviour {
    name: "starting-for-ever",
    does: "Each call is answered with `not now`",
    outcome: "tried again for a while; then the command fails (`vault-unavailable`)",
    play: |rig| {
        rig.answer("*", Answer::refusal(503, "Unavailable", "It is starting"));
        let outcome = assert_code(rig.list(), 10, "vault-unavailable");
        assert!(outcome.took < Duration::from_secs(20), "{:?}", outcome.took);
    },
};
