//! What the program reads from the user's machine before it starts: where its own files lie, and how they are read and written.

mod clock;
mod directory;
mod private_file;
mod user;

pub use clock::now;
pub use directory::{config_directory, keys_directory, trust_store_path};
pub use private_file::{Exposure, check_secret, create_directory, create_new, read, replace};
pub use user::{SigstoreSettings, UserSettings};
