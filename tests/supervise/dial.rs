// SPDX-License-Identifier: MIT

// What programs of Rust's standard library do: connect with and without a time limit, listen, and close on execution.
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

// One byte there and its successor back.
fn talk(mut stream: TcpStream) -> std::io::Result<bool> {
    let mut byte = [41u8];
    stream.set_nodelay(true)?;
    stream.write_all(&byte)?;
    stream.read_exact(&mut byte)?;
    Ok(byte[0] == 42 && stream.take_error()?.is_none())
}

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let address: SocketAddr = args[1].parse().expect("ADDRESS:PORT");
    let closed = SocketAddr::new(address.ip(), 1);
    println!("connect: {}", talk(TcpStream::connect(address)?)?);
    println!("with a limit: {}", talk(TcpStream::connect_timeout(&address, Duration::from_secs(20))?)?);
    println!("refused: {:?}", TcpStream::connect(closed).map_err(|e| e.kind()).err());
    println!("refused, with a limit: {:?}", TcpStream::connect_timeout(&closed, Duration::from_secs(20)).map_err(|e| e.kind()).err());
    let listener = TcpListener::bind(SocketAddr::new(address.ip(), 0))?;
    let own = listener.local_addr()?;
    let server = std::thread::spawn(move || -> std::io::Result<()> {
        let (mut peer, _) = listener.accept()?;
        let mut byte = [0u8];
        peer.read_exact(&mut byte)?;
        byte[0] += 1;
        peer.write_all(&byte)
    });
    println!("its own listener: {}", talk(TcpStream::connect(own)?)?);
    server.join().unwrap()
}
