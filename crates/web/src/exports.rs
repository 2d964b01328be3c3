//! What the page calls: memory for a request, and its answer.
//!
//! C and Rust share one allocator, which is C's: two would both take the memory behind the stack for theirs.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::c_void;
use std::mem::forget;
use std::ptr;

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn aligned_alloc(align: usize, size: usize) -> *mut c_void;
    fn free(block: *mut c_void);
}

/// C's allocator.
struct C;

/// What malloc's blocks are aligned to.
const ALIGN: usize = 16;

#[global_allocator]
static ALLOCATOR: C = C;

// SAFETY: blocks are malloc's, with its alignment or the one that was asked for; none unwinds.
unsafe impl GlobalAlloc for C {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (align, size) = (layout.align(), layout.size());
        // SAFETY: aligned_alloc wants a power of two and a multiple of it.
        let block = match align <= ALIGN {
            true => unsafe { malloc(size) },
            false => unsafe { aligned_alloc(align, size.next_multiple_of(align)) },
        };
        block.cast()
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: it is one of `alloc`'s.
        unsafe { free(block.cast()) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.align() <= ALIGN {
            // SAFETY: it is one of malloc's.
            return unsafe { realloc(block.cast(), size) }.cast();
        }
        // SAFETY: the alignment was valid for the old block; both blocks have the bytes that are copied.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                ptr::copy_nonoverlapping(block, new, size.min(layout.size()));
                self.dealloc(block, layout);
            }
            new
        }
    }
}

/// Memory for a request of so many bytes, which `fastlua_call` takes back.
#[unsafe(no_mangle)]
pub extern "C" fn fastlua_request(size: usize) -> *mut u8 {
    let mut request = vec![0; size].into_boxed_slice();
    let address = request.as_mut_ptr();
    forget(request);
    address
}

/// Answers the request that was written there. The answer is a word with its length, and its bytes.
///
/// # Safety
/// The address is one of `fastlua_request`, with the size that it was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fastlua_call(address: *mut u8, size: usize) -> *mut u8 {
    // SAFETY: as above; it is a box of this size.
    let request = unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(address, size)) };
    let answer = crate::call(&request);
    let length = u32::try_from(answer.len()).unwrap_or(u32::MAX);
    let mut answer = [&length.to_le_bytes()[..], &answer]
        .concat()
        .into_boxed_slice();
    let address = answer.as_mut_ptr();
    forget(answer);
    address
}

/// Gives up an answer, once it is read.
///
/// # Safety
/// The address is one of `fastlua_call`, and the size the answer's with its word.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fastlua_done(address: *mut u8, size: usize) {
    // SAFETY: as above.
    drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(address, size)) });
}
