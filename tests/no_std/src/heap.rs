//! The smallest allocator that works: memory is handed out from one array and taken back only when it was handed out last.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering};

const BYTES: usize = 16 << 20;

pub(crate) struct Heap {
    memory: UnsafeCell<[u8; BYTES]>,
    used: AtomicUsize,
}

impl Heap {
    pub(crate) const fn new() -> Self {
        Self {
            memory: UnsafeCell::new([0; BYTES]),
            used: AtomicUsize::new(0),
        }
    }
}

// SAFETY: the array is only reached through the pointers that `alloc` returns, and no two of those overlap.
unsafe impl Sync for Heap {}

// SAFETY: `alloc` reserves `[start, end)` by one atomic exchange, so ranges in use never overlap; they are inside the array and aligned as asked,
// because `start` is computed from the array's real address.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let base = self.memory.get().cast::<u8>();
        let mut used = self.used.load(Ordering::Relaxed);
        loop {
            let address = base as usize + used;
            let start = used + (address.next_multiple_of(layout.align()) - address);
            let Some(end) = start.checked_add(layout.size()).filter(|&end| end <= BYTES) else {
                return core::ptr::null_mut();
            };
            match self
                .used
                .compare_exchange_weak(used, end, Ordering::AcqRel, Ordering::Relaxed)
            {
                // SAFETY: `start` is at most `BYTES`.
                Ok(_) => return unsafe { base.add(start) },
                Err(now) => used = now,
            }
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let start = pointer as usize - self.memory.get() as usize;
        let end = start + layout.size();
        let _ = self
            .used
            .compare_exchange(end, start, Ordering::AcqRel, Ordering::Relaxed);
    }
}
