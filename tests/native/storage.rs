//! The contract of `Storage`, held against every storage that runs natively.

use crate::storage_suite::{self, Fixture};
use core::cell::RefCell;
use hyphadb::env::simulated::{Group, World};
use hyphadb::storage::memory::Memory;
use hyphadb::storage::simulated::{Disk, DiskOptions, Simulated};
use std::collections::BTreeMap;

#[derive(Default)]
struct InMemory {
    databases: RefCell<BTreeMap<String, Memory>>,
}

impl Fixture for InMemory {
    type Storage = Memory;

    async fn connect(&self, database: &str) -> Memory {
        self.databases.borrow_mut().entry(database.to_owned()).or_default().clone()
    }
}

struct OnDisk {
    world: World,
    options: DiskOptions,
    disks: RefCell<BTreeMap<String, Disk>>,
}

impl OnDisk {
    fn new(world: &World, options: DiskOptions) -> Self {
        OnDisk { world: world.clone(), options, disks: RefCell::default() }
    }
}

impl Fixture for OnDisk {
    type Storage = Simulated;

    async fn connect(&self, database: &str) -> Simulated {
        let mut disks = self.disks.borrow_mut();
        let disk = disks.entry(database.to_owned()).or_insert_with(|| Disk::new(&self.world, self.options.clone()));
        disk.connect(Group::SYSTEM)
    }
}

#[test]
fn memory_keeps_the_contract() {
    let world = World::new(0);
    world.block_on(storage_suite::all(&InMemory::default(), |_| ())).unwrap();
    assert!(storage_suite::NAMES.len() >= 30);
}

#[test]
fn simulated_storage_keeps_the_contract_in_every_seed() {
    for seed in 0..12 {
        for latency_max_us in [0, 1, 20_000] {
            let world = World::new(seed);
            let options = DiskOptions { latency_max_us, ..DiskOptions::default() };
            let fixture = OnDisk::new(&world, options);
            let mut fact = String::new();
            let ran = world.block_on(storage_suite::all(&fixture, |name| name.clone_into(&mut fact)));
            assert!(ran.is_ok(), "seed {seed}, latency {latency_max_us} us, in `{fact}`: {ran:?}");
        }
    }
}
