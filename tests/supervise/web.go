// SPDX-License-Identifier: MIT

// A web server and its client, as Go programs make them: the runtime's own system calls, nonblocking sockets, epoll.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

func serve(address string) error {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello\n") })
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	// sd_notify(3): systemd takes it from the unit's main process only.
	if to := os.Getenv("NOTIFY_SOCKET"); to != "" {
		systemd, err := net.Dial("unixgram", to)
		if err != nil {
			return err
		}
		fmt.Fprint(systemd, "READY=1")
		systemd.Close()
	}
	return http.Serve(listener, nil)
}

// get asks count times with so many workers, over connections that are kept, or one for each request.
func get(url string, count, workers int, keep bool) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: !keep, MaxIdleConnsPerHost: workers}}
	work := make(chan int)
	var wait sync.WaitGroup
	var lock sync.Mutex
	var first error
	failed := 0
	for i := 0; i < workers; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for range work {
				response, err := client.Get(url)
				if err == nil {
					var body []byte
					body, err = io.ReadAll(response.Body)
					response.Body.Close()
					if err == nil && string(body) != "hello\n" {
						err = errors.New("another answer: " + string(body))
					}
				}
				if err != nil {
					lock.Lock()
					failed++
					if first == nil {
						first = err
					}
					lock.Unlock()
				}
			}
		}()
	}
	for i := 0; i < count; i++ {
		work <- i
	}
	close(work)
	wait.Wait()
	fmt.Printf("%d asked, %d failed\n", count, failed)
	return first
}

func dial(address string, patience time.Duration) {
	connection, err := net.DialTimeout("tcp", address, patience)
	var number syscall.Errno
	var timeout net.Error
	switch {
	case err == nil:
		fmt.Println("connected")
		connection.Close()
	case errors.As(err, &number):
		fmt.Println(number.Error())
	case errors.As(err, &timeout) && timeout.Timeout():
		fmt.Println("timeout")
	default:
		fmt.Println(err)
	}
}

func main() {
	var err error
	switch os.Args[1] {
	case "serve":
		err = serve(os.Args[2])
	case "get", "get-once":
		count, _ := strconv.Atoi(os.Args[3])
		workers, _ := strconv.Atoi(os.Args[4])
		err = get(os.Args[2], count, workers, os.Args[1] == "get")
	case "dial":
		milliseconds, _ := strconv.Atoi(os.Args[3])
		dial(os.Args[2], time.Duration(milliseconds)*time.Millisecond)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
