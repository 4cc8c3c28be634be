// The peer that is written with @nats-io/transport-node. The protocol is in ../README.md.
import { connect, headers } from "@nats-io/transport-node";

const WAIT_MS = 10_000;
const [role, subject, ...words] = process.argv.slice(2);

const decode = (text) => Buffer.from(text.slice(1), "hex");

function say(verb, msg) {
    const values = msg.headers ? msg.headers.values("X-Peer") : [];
    const data = "x" + Buffer.from(msg.data).toString("hex");
    console.log([verb, msg.subject, data, ...values].join(" "));
}

function marked(...values) {
    const made = headers();
    values.forEach((value) => made.append("X-Peer", value));
    return made;
}

async function publish(nc) {
    words.forEach((text) => {
        nc.publish(subject, decode(text), { headers: marked("one", "two") });
    });
    await nc.flush();
}

async function receive(nc) {
    const sub = nc.subscribe(subject, { max: Number(words[0]) });
    await nc.flush();
    console.log("ready");
    for await (const msg of sub) {
        say("msg", msg);
    }
}

async function request(nc) {
    for (const text of words) {
        try {
            const options = { timeout: WAIT_MS, headers: marked("asked") };
            say("reply", await nc.request(subject, decode(text), options));
        } catch (error) {
            if (!error.isNoResponders?.()) {
                throw error;
            }
            console.log("none");
        }
    }
}

async function respond(nc) {
    const sub = nc.subscribe(subject, { queue: words[0] || undefined });
    await nc.flush();
    console.log("ready");
    for await (const msg of sub) {
        msg.respond(msg.data, { headers: marked("peer") });
    }
}

const roles = {
    publisher: publish, subscriber: receive, requester: request, responder: respond,
};
const nc = await connect({ servers: process.env.NATS_URL });
await roles[role](nc);
await nc.close();
