//! The peer that is written with async-nats. The protocol is in ../README.md.

use async_nats::{Client, HeaderMap, Message, RequestErrorKind};
use bytes::Bytes;
use futures_util::StreamExt;
use std::error::Error;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(10);

type Done = Result<(), Box<dyn Error>>;

fn decode(text: &str) -> Result<Bytes, Box<dyn Error>> {
    let digits = text.trim_start_matches('x');
    let bytes: Result<Vec<u8>, _> = (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16))
        .collect();
    Ok(bytes?.into())
}

fn say(verb: &str, msg: &Message) {
    let data: String = msg.payload.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut line = format!("{verb} {} x{data}", msg.subject);
    if let Some(headers) = &msg.headers {
        for value in headers.get_all("X-Peer") {
            line += &format!(" {value}");
        }
    }
    println!("{line}");
}

fn marked(values: &[&str]) -> HeaderMap {
    let mut made = HeaderMap::new();
    for value in values {
        made.append("X-Peer", *value);
    }
    made
}

async fn publish(nc: &Client, subject: String, words: &[String]) -> Done {
    for text in words {
        let headers = marked(&["one", "two"]);
        nc.publish_with_headers(subject.clone(), headers, decode(text)?).await?;
    }
    Ok(nc.flush().await?)
}

/// Its flush() waits for the socket, not for the server: that nobody answers is an answer of the server.
async fn say_ready(nc: &Client) -> Done {
    match nc.request("i.nobody.is.there", Bytes::new()).await {
        Err(error) if error.kind() == RequestErrorKind::NoResponders => println!("ready"),
        other => return Err(format!("a request to nobody: {other:?}").into()),
    }
    Ok(())
}

async fn receive(nc: &Client, subject: String, words: &[String]) -> Done {
    let mut sub = nc.subscribe(subject).await?;
    say_ready(nc).await?;
    for _ in 0..words[0].parse()? {
        let msg = tokio::time::timeout(WAIT, sub.next()).await?;
        say("msg", &msg.ok_or("the subscription ended")?);
    }
    Ok(())
}

async fn request(nc: &Client, subject: String, words: &[String]) -> Done {
    for text in words {
        let headers = marked(&["asked"]);
        match nc.request_with_headers(subject.clone(), headers, decode(text)?).await {
            Ok(reply) => say("reply", &reply),
            Err(error) if error.kind() == RequestErrorKind::NoResponders => println!("none"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn respond(nc: &Client, subject: String, words: &[String]) -> Done {
    let mut sub = match words.first() {
        Some(queue) => nc.queue_subscribe(subject, queue.clone()).await?,
        None => nc.subscribe(subject).await?,
    };
    say_ready(nc).await?;
    while let Some(msg) = sub.next().await {
        let reply = msg.reply.ok_or("a request without a reply subject")?;
        nc.publish_with_headers(reply, marked(&["peer"]), msg.payload).await?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Done {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let nc = async_nats::connect(std::env::var("NATS_URL")?).await?;
    let (role, subject, rest) = (&words[0], words[1].clone(), &words[2..]);
    match role.as_str() {
        "publisher" => publish(&nc, subject, rest).await,
        "subscriber" => receive(&nc, subject, rest).await,
        "requester" => request(&nc, subject, rest).await,
        "responder" => respond(&nc, subject, rest).await,
        _ => Err("no such role".into()),
    }
}
