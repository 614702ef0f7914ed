//! A trace that a program in a guest has written for ui.perfetto.dev: the guest tells the bytes of the file, compressed. The
//! messages are read by somebody else's decoder, by the numbers of Perfetto's `protos/perfetto/trace` as they are written down
//! here.

use std::collections::HashMap;
use std::io::Read;

use flate2::read::GzDecoder;
use prost::Message;

use super::screen::hexadecimal;

/// What a line with some of the bytes holds.
const BYTES: &str = "controls-check: trace=";

/// A slice that is to be there.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// The name of its track.
    pub track: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it has besides: names with words.
    pub about: &'static [(&'static str, &'static str)],
}

#[derive(Clone, PartialEq, Message)]
struct Trace {
    #[prost(message, repeated, tag = "1")]
    packet: Vec<Packet>,
}

#[derive(Clone, PartialEq, Message)]
struct Packet {
    #[prost(uint64, optional, tag = "8")]
    timestamp: Option<u64>,
    #[prost(message, optional, tag = "11")]
    event: Option<TrackEvent>,
    #[prost(message, optional, tag = "60")]
    track: Option<Track>,
}

#[derive(Clone, PartialEq, Message)]
struct Track {
    #[prost(uint64, tag = "1")]
    uuid: u64,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(uint64, optional, tag = "5")]
    parent: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct TrackEvent {
    #[prost(message, repeated, tag = "4")]
    about: Vec<Annotation>,
    #[prost(int32, tag = "9")]
    kind: i32,
    #[prost(uint64, tag = "11")]
    track: u64,
    #[prost(string, tag = "23")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct Annotation {
    #[prost(string, tag = "6")]
    word: String,
    #[prost(string, tag = "10")]
    name: String,
}

/// `TrackEvent.Type`: a slice begins, and ends.
const BEGIN: i32 = 1;
const END: i32 = 2;

/// What is wrong with the trace of `vm`'s, which is expected to have these slices, if something is.
pub fn lacking(vm: &str, slices: &[Slice], lines: &[String]) -> Option<String> {
    let bytes = hexadecimal(vm, BYTES, lines).unwrap_or_default();
    let mut file = Vec::new();
    if let Err(error) = GzDecoder::new(&bytes[..]).read_to_end(&mut file) {
        return Some(format!("{vm}: the {} bytes of its trace are no compressed file: {error}", bytes.len()));
    }
    match Trace::decode(&file[..]) {
        Ok(trace) => out_of_order(&trace).or_else(|| missing(&trace, slices)).map(|text| format!("{vm}: {text}")),
        Err(error) => Some(format!("{vm}: the {} bytes of its trace are none: {error}", file.len())),
    }
}

/// What is not as it has to be of any trace.
fn out_of_order(trace: &Trace) -> Option<String> {
    let (mut tracks, mut open, mut last) = (HashMap::new(), HashMap::new(), 0);
    for packet in &trace.packet {
        if let Some(track) = &packet.track {
            if track.parent.is_some_and(|parent| !tracks.contains_key(&parent)) {
                return Some(format!("a track of a track that is not there: {track:?}"));
            }
            tracks.insert(track.uuid, track.name.as_str());
        }
        let Some(event) = &packet.event else { continue };
        let time = packet.timestamp.unwrap_or(0);
        if time < last || !tracks.contains_key(&event.track) {
            return Some(format!("out of order, or on no track: {packet:?}"));
        }
        last = time;
        let depth: &mut i32 = open.entry(event.track).or_default();
        *depth += i32::from(event.kind == BEGIN) - i32::from(event.kind == END);
        if *depth < 0 {
            return Some(format!("a slice ends that has not begun: {packet:?}"));
        }
    }
    let left = open.iter().find(|(_, depth)| **depth != 0);
    left.map(|(track, depth)| format!("{depth} slices of track {:?} do not end", tracks.get(track)))
}

/// Which of the slices is not there.
fn missing(trace: &Trace, slices: &[Slice]) -> Option<String> {
    let tracks: HashMap<u64, &str> =
        trace.packet.iter().filter_map(|packet| packet.track.as_ref()).map(|t| (t.uuid, t.name.as_str())).collect();
    let events: Vec<&TrackEvent> = trace.packet.iter().filter_map(|packet| packet.event.as_ref()).collect();
    let is = |event: &TrackEvent, slice: &Slice| {
        let has =
            |(name, word): &(&str, &str)| event.about.iter().any(|about| about.name == *name && about.word == *word);
        event.kind == BEGIN
            && event.name == slice.name
            && tracks.get(&event.track) == Some(&slice.track)
            && slice.about.iter().all(has)
    };
    let none = slices.iter().find(|slice| !events.iter().any(|event| is(event, slice)))?;
    let mut names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    Some(format!("of {} events none is {none:?}; there are {names:?}", events.len()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn event(timestamp: u64, kind: i32, name: &str) -> Packet {
        let about = vec![Annotation { word: "refused".to_owned(), name: "verdict".to_owned() }];
        let event = TrackEvent { about, kind, track: 7, name: name.to_owned() };
        Packet { timestamp: Some(timestamp), event: Some(event), track: None }
    }

    fn told(events: Vec<Packet>) -> Vec<String> {
        let track = Track { uuid: 7, name: "core 1".to_owned(), parent: None };
        let mut packet = vec![Packet { timestamp: None, event: None, track: Some(track) }];
        packet.extend(events);
        let mut file = GzEncoder::new(Vec::new(), Compression::default());
        file.write_all(&Trace { packet }.encode_to_vec()).unwrap();
        let digits: String = file.finish().unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        let (first, second) = digits.split_at(10);
        [first, second].map(|part| format!("[linux] {BYTES}{part}")).to_vec()
    }

    #[test]
    fn a_trace_is_looked_at() {
        const REFUSED: Slice = Slice { track: "core 1", name: "call X", about: &[("verdict", "refused")] };
        let whole = || vec![event(5, BEGIN, "call X"), event(6, END, "")];
        let found = |events| lacking("linux", &[REFUSED], &told(events));
        assert_eq!(found(whole()), None);
        for (slice, word) in [
            (Slice { name: "call Y", ..REFUSED }, "call Y"),
            (Slice { track: "core 2", ..REFUSED }, "core 2"),
            (Slice { about: &[("verdict", "answered")], ..REFUSED }, "answered"),
        ] {
            assert!(lacking("linux", &[slice], &told(whole())).unwrap().contains(word));
        }
        assert!(found(vec![event(5, BEGIN, "call X")]).unwrap().contains("do not end"));
        assert!(found(vec![event(5, END, "")]).unwrap().contains("has not begun"));
        assert!(found(vec![event(5, BEGIN, "call X"), event(4, END, "")]).unwrap().contains("out of order"));
        assert!(lacking("linux", &[], &[]).unwrap().contains("no compressed file"));
    }
}
