//! Real concurrency: cores that look only when they are kicked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::*;
use crate::VcpuSet;

const ROUNDS: usize = if cfg!(miri) { 5 } else { 2000 };
const PATIENCE: Duration = Duration::from_secs(if cfg!(miri) { 600 } else { 60 });

/// One sends and takes back at once, while the other one looks whenever it is kicked: what is left in the attention word has a
/// kick.
#[test]
fn what_is_taken_back_leaves_no_attention_without_a_kick() {
    let gic = enabled(2);
    let (kicked, done) = (AtomicBool::new(true), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut core = Core::new(2);
            while !done.load(Ordering::Acquire) {
                if kicked.swap(false, Ordering::Acquire) {
                    let _ = core.enter_beside_others(&gic, 1);
                }
            }
        });
        for round in 0..if cfg!(miri) { 3 } else { 20 * ROUNDS } {
            let mut kick = !gic.write_sgi1r(0, sgi1r(1, 0b10)).is_empty();
            kicked.fetch_or(kick, Ordering::Release);
            (0..round % 64).for_each(|_| std::hint::spin_loop());
            kick = !gic.write_redistributor(0, 1, SGI_BASE + ICPENDR, 4, 0xffff).kick.is_empty();
            kicked.fetch_or(kick, Ordering::Release);
            let start = Instant::now();
            while gic.needs_flush(1) {
                assert!(start.elapsed() < PATIENCE, "a kick is missing after {round} rounds");
                thread::yield_now();
            }
        }
        done.store(true, Ordering::Release);
    });
}

/// Two vCPUs play ping-pong with SGIs, a third one disturbs them through the distributor and their redistributors. Without a
/// kick that should be there, a player waits in vain.
#[test]
fn no_kick_is_missing() {
    let gic = enabled(3);
    let kicked: [AtomicBool; 3] = std::array::from_fn(|_| AtomicBool::new(true));
    let done = AtomicBool::new(false);
    let start = Instant::now();
    let kick = |set: VcpuSet| set.for_each(|vcpu| kicked[vcpu].store(true, Ordering::Release));
    let player = |vcpu: usize| {
        let mut core = Core::new(2);
        let mut received = 0;
        if vcpu == 0 {
            kick(gic.write_sgi1r(0, sgi1r(0, 0b10)));
        }
        while received < ROUNDS {
            if !kicked[vcpu].swap(false, Ordering::Acquire) {
                assert!(start.elapsed() < PATIENCE, "a kick is missing after {received} rounds");
                thread::yield_now();
                continue;
            }
            loop {
                kick(core.enter_beside_others(&gic, vcpu));
                let Some(intid) = core.acknowledge() else { break };
                core.end();
                if intid < 16 {
                    received += 1;
                    kick(gic.write_sgi1r(vcpu, sgi1r(0, 1 << (1 - vcpu))));
                }
            }
        }
    };
    thread::scope(|scope| {
        let players = [0, 1].map(|vcpu| {
            scope.spawn({
                let player = &player;
                move || player(vcpu)
            })
        });
        scope.spawn(|| {
            let mut random = Rng::with_seed(3);
            while !done.load(Ordering::Relaxed) {
                let (spi, frame) = (40 + random.usize(..4) as u64, random.usize(..2));
                kick(gic.write_distributor(2, IROUTER + spi * 8, 8, random.usize(..2) as u64));
                kick(write_bit(&gic, 2, ISPENDR, spi as u32));
                let priority = random.u64(..) & 0xff;
                kick(gic.write_redistributor(2, frame, SGI_BASE + IPRIORITYR, 1, priority).kick);
                thread::yield_now();
            }
        });
        let results = players.map(|player| player.join());
        done.store(true, Ordering::Relaxed);
        assert!(results.iter().all(Result::is_ok));
    });
}
