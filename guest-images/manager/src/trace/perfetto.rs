//! Messages of Perfetto's protobuf, as far as a trace needs them: fields, their numbers and their meaning are those of its
//! `protos/perfetto/trace`, of the files that are named here.

use prost::{Message, Oneof};

/// `Trace` (`trace.proto`).
#[derive(Clone, PartialEq, Message)]
pub struct Trace {
    /// What happened, in the order of time, behind what describes it.
    #[prost(message, repeated, tag = "1")]
    pub packet: Vec<TracePacket>,
}

/// `TracePacket` (`trace_packet.proto`).
#[derive(Clone, PartialEq, Message)]
pub struct TracePacket {
    /// Nanoseconds.
    #[prost(uint64, optional, tag = "8")]
    pub timestamp: Option<u64>,
    /// All that comes from one source has one number.
    #[prost(uint32, optional, tag = "10")]
    pub trusted_packet_sequence_id: Option<u32>,
    /// [`INCREMENTAL_STATE_CLEARED`] for the first one.
    #[prost(uint32, optional, tag = "13")]
    pub sequence_flags: Option<u32>,
    /// What it tells.
    #[prost(oneof = "Data", tags = "11, 60")]
    pub data: Option<Data>,
}

/// `TracePacket.SequenceFlags`.
pub const INCREMENTAL_STATE_CLEARED: u32 = 1;

/// `TracePacket.data`.
#[derive(Clone, PartialEq, Oneof)]
pub enum Data {
    /// Something that happens on a track.
    #[prost(message, tag = "11")]
    TrackEvent(TrackEvent),
    /// A track.
    #[prost(message, tag = "60")]
    TrackDescriptor(TrackDescriptor),
}

/// `TrackDescriptor` (`track_event/track_descriptor.proto`).
#[derive(Clone, PartialEq, Message)]
pub struct TrackDescriptor {
    /// Its number.
    #[prost(uint64, optional, tag = "1")]
    pub uuid: Option<u64>,
    /// Its name.
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
    /// The track that it belongs to.
    #[prost(uint64, optional, tag = "5")]
    pub parent_uuid: Option<u64>,
    /// It is a counter's.
    #[prost(message, optional, tag = "8")]
    pub counter: Option<CounterDescriptor>,
    /// In which order its own tracks are shown.
    #[prost(enumeration = "ChildTracksOrdering", optional, tag = "11")]
    pub child_ordering: Option<i32>,
    /// Its place among those of its parent, if that says so.
    #[prost(int32, optional, tag = "12")]
    pub sibling_order_rank: Option<i32>,
}

/// `TrackDescriptor.ChildTracksOrdering`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum ChildTracksOrdering {
    /// Whatever is liked.
    Unknown = 0,
    /// By their ranks.
    Explicit = 3,
}

/// `CounterDescriptor` (`track_event/counter_descriptor.proto`).
#[derive(Clone, PartialEq, Message)]
pub struct CounterDescriptor {
    /// What it counts.
    #[prost(enumeration = "Unit", optional, tag = "3")]
    pub unit: Option<i32>,
}

/// `CounterDescriptor.Unit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Unit {
    /// Nobody says.
    Unspecified = 0,
    /// Bytes.
    SizeBytes = 3,
}

/// `TrackEvent` (`track_event/track_event.proto`).
#[derive(Clone, PartialEq, Message)]
pub struct TrackEvent {
    /// What there is to know besides.
    #[prost(message, repeated, tag = "4")]
    pub debug_annotations: Vec<DebugAnnotation>,
    /// What it is.
    #[prost(enumeration = "Type", optional, tag = "9")]
    pub r#type: Option<i32>,
    /// The track.
    #[prost(uint64, optional, tag = "11")]
    pub track_uuid: Option<u64>,
    /// Its kind, for filters.
    #[prost(string, repeated, tag = "22")]
    pub categories: Vec<String>,
    /// Its name.
    #[prost(string, optional, tag = "23")]
    pub name: Option<String>,
    /// The value, of a counter.
    #[prost(int64, optional, tag = "30")]
    pub counter_value: Option<i64>,
}

/// `TrackEvent.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Type {
    /// Nobody says.
    Unspecified = 0,
    /// A slice begins.
    SliceBegin = 1,
    /// The slice that has begun last on its track ends.
    SliceEnd = 2,
    /// Something without a length.
    Instant = 3,
    /// A counter has another value.
    Counter = 4,
}

/// `DebugAnnotation` (`track_event/debug_annotation.proto`).
#[derive(Clone, PartialEq, Message)]
pub struct DebugAnnotation {
    /// Its value, if it is a number.
    #[prost(uint64, optional, tag = "3")]
    pub uint_value: Option<u64>,
    /// Its value, if it is a word.
    #[prost(string, optional, tag = "6")]
    pub string_value: Option<String>,
    /// Its name.
    #[prost(string, optional, tag = "10")]
    pub name: Option<String>,
}
