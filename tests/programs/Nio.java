// SPDX-License-Identifier: MIT
// An echo server on a selector and its clients, for java.sh: java Nio serve|client HOST PORT
import java.io.DataInputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Arrays;

// As a thread it writes for a client. No lambda, no format: what they load takes longer than the connections.
public class Nio extends Thread {
    static final int SIZE = 200000;
    final OutputStream out;
    final byte[] data;

    Nio(OutputStream out, byte[] data) {
        this.out = out;
        this.data = data;
    }

    @Override
    public void run() {
        try {
            out.write(data);
        } catch (Exception e) {
            System.out.println(e);
        }
    }

    static byte[] data(int i) {
        byte[] data = new byte[SIZE];
        for (int at = 0; at < SIZE; at++)
            data[at] = (byte) (at * 31 + (at >> 8) + i);
        return data;
    }

    static void serve(InetSocketAddress address) throws Exception {
        Selector selector = Selector.open();
        ServerSocketChannel listener = ServerSocketChannel.open();
        listener.bind(address, 64);
        listener.configureBlocking(false);
        listener.register(selector, SelectionKey.OP_ACCEPT);
        for (;;) {
            selector.select();
            for (SelectionKey key : selector.selectedKeys()) {
                if (key.isAcceptable()) {
                    SocketChannel client = listener.accept();
                    client.configureBlocking(false);
                    client.register(selector, SelectionKey.OP_READ, ByteBuffer.allocate(65536));
                    continue;
                }
                // What has been read is written before more is read.
                SocketChannel client = (SocketChannel) key.channel();
                ByteBuffer buffer = (ByteBuffer) key.attachment();
                if (key.isReadable() && client.read(buffer) < 0) {
                    client.close();
                    continue;
                }
                buffer.flip();
                client.write(buffer);
                key.interestOps(buffer.hasRemaining() ? SelectionKey.OP_WRITE : SelectionKey.OP_READ);
                buffer.compact();
            }
            selector.selectedKeys().clear();
        }
    }

    // A channel that is registered with the selector before it connects.
    static boolean selected(InetSocketAddress address, int i) throws Exception {
        ByteBuffer out = ByteBuffer.wrap(data(i)), in = ByteBuffer.allocate(SIZE);
        try (Selector selector = Selector.open(); SocketChannel channel = SocketChannel.open()) {
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT);
            channel.connect(address);
            while (in.hasRemaining()) {
                if (selector.select(20000) == 0)
                    throw new Exception("nothing for 20 s");
                selector.selectedKeys().clear();
                if (key.isConnectable() && channel.finishConnect())
                    key.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
                else if (key.isReadable() && channel.read(in) < 0)
                    break;
                else if (key.isWritable() && out.hasRemaining())
                    channel.write(out);
                if (!out.hasRemaining())
                    key.interestOps(SelectionKey.OP_READ);
            }
        }
        return Arrays.equals(in.array(), out.array());
    }

    // The old blocking kind; a thread of its own writes.
    static boolean blocking(InetSocketAddress address, int i, boolean timed) throws Exception {
        byte[] data = data(i), answer = new byte[SIZE];
        try (Socket socket = new Socket()) {
            socket.setKeepAlive(true);
            socket.connect(address, timed ? 10000 : 0);
            socket.setSoTimeout(20000);
            Thread writer = new Nio(socket.getOutputStream(), data);
            writer.start();
            new DataInputStream(socket.getInputStream()).readFully(answer);
            writer.join();
        }
        return Arrays.equals(data, answer);
    }

    static void client(InetSocketAddress address) throws Exception {
        int right = 0;
        for (int i = 0; i < 12; i++) {
            boolean good = i % 3 == 0 ? selected(address, i) : blocking(address, i, i % 3 == 1);
            right += good ? 1 : 0;
        }
        System.out.println(right + " of 12 right");
        try (SocketChannel nobody = SocketChannel.open()) {
            nobody.connect(new InetSocketAddress(address.getAddress(), address.getPort() + 20));
        } catch (java.net.ConnectException e) {
            System.out.println(e.getMessage());
        }
    }

    public static void main(String[] arguments) throws Exception {
        InetSocketAddress address = new InetSocketAddress(arguments[1], Integer.parseInt(arguments[2]));
        if (arguments[0].equals("serve"))
            serve(address);
        else
            client(address);
    }
}
