mod aborts;
mod calls;
mod registers;
mod traced;
