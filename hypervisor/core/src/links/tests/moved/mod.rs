//! VMs with links that are saved and restored, and whose drivers notice nothing but what they are told.

mod network;
