//! The calls of [`crate::agent`].

use super::{Call, Content, get, post, put};
use crate::agent::*;

/// The agent plane's calls.
#[rustfmt::skip]
pub fn calls() -> Vec<Call> {
    vec![
        post("/agent/v1/register", "register", "Registers a server with vault credentials").open().takes::<RegisterRequest>().gives::<Registered>(200),
        post("/agent/v1/register/slots", "listSlotsForRegistration", "The key slots of the known server that may register again").open().takes::<RegisterSlotsRequest>().gives::<SlotList>(200),
        get("/agent/v1/server", "getServer", "What the vault knows of the calling server").gives::<ServerInfo>(200),
        put("/agent/v1/items/{item}", "putItem", "Makes or names a protected item").takes::<ItemRequest>().answers(204),
        post("/agent/v1/items/{item}/stop", "stopItem", "Stops an item's backups, with a security PIN").takes::<StopRequest>().answers(204),
        post("/agent/v1/items/{item}/delete", "deleteItem", "Deletes an item with its recovery points, with a security PIN; they can be had back").takes::<DeleteRequest>().answers(204),
        post("/agent/v1/sessions", "openSession", "Opens a session, in which packs are sent and recovery points are committed").takes::<OpenSessionRequest>().gives::<SessionOpened>(200),
        post("/agent/v1/sessions/{session}/heartbeat", "keepSession", "Lengthens a session's lease").gives::<Lease>(200),
        put("/agent/v1/sessions/{session}/packs/{pack}", "putPack", "Stores a pack").takes_content(Content::Bytes).answers(201).answers(200),
        put("/agent/v1/sessions/{session}/packs/{pack}/parts", "putPart", "Sends a part of a pack").takes_content(Content::Bytes).gives::<PartTaken>(200).gives::<PartTaken>(201).gives::<PartTaken>(202),
        post("/agent/v1/sessions/{session}/commit", "commitPoint", "Commits a recovery point; the answer is its receipt").takes_content(Content::Bytes).gives_content(200, Content::Bytes),
        post("/agent/v1/sessions/{session}/close", "closeSession", "Closes a session").answers(204),
        get("/agent/v1/packs/{pack}", "getPack", "A pack, or a range of it").gives_content(200, Content::Bytes).gives_content(206, Content::Bytes),
        get("/agent/v1/points", "listPoints", "The calling server's recovery points").gives::<PointList>(200),
        get("/agent/v1/points/{sequence}/{hash}", "getPoint", "A recovery point's object").gives_content(200, Content::Bytes),
        get("/agent/v1/receipts/{sequence}/{hash}", "getReceipt", "A recovery point's receipt").gives_content(200, Content::Bytes),
        get("/agent/v1/slots", "listSlots", "The calling server's key slots").gives::<SlotList>(200),
        put("/agent/v1/slots/{epoch}/{hash}", "putSlot", "Adds a key slot").takes_content(Content::Bytes).answers(201).answers(200),
        post("/agent/v1/slots/{epoch}/{hash}/keep", "keepSlot", "Keeps a passphrase's key slot and retires those of the others, with a security PIN").takes::<KeepSlotRequest>().answers(204),
        put("/agent/v1/jobs/{job}", "putJob", "Reports how a job stands").takes::<JobReport>().gives::<JobAnswer>(200),
        get("/agent/v1/commands", "listCommands", "What the calling server is asked to do, once there is something").asks("waitSeconds", "How long to wait for something, at most 60").asks("timetable", "The version of the timetable that the agent has").asks("agentVersion", "The agent's version").gives::<CommandList>(200),
        post("/agent/v1/commands/{command}/take", "takeCommand", "Takes a command; taking it again is no error").gives::<Command>(200),
        get("/agent/v1/packages", "listPackages", "The packages of the agent that the vault offers").gives::<PackageList>(200),
        get("/agent/v1/packages/{name}", "getPackage", "A package's bytes").gives_content(200, Content::Bytes),
    ]
}
