mod aborts;
mod calls;
mod registers;
