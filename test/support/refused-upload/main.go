// Sends a PATCH of so many bytes, as engines push a layer, and prints the status of the answer, or the error.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
)

type zeros struct{}

func (zeros) Read(bytes []byte) (int, error) { return len(bytes), nil }

func main() {
	length, err := strconv.ParseInt(os.Args[2], 10, 64)
	if err != nil {
		panic(err)
	}
	request, err := http.NewRequest("PATCH", os.Args[1], io.LimitReader(zeros{}, length))
	if err != nil {
		panic(err)
	}
	if len(os.Args) > 3 {
		request.ContentLength = length
	}
	request.Header.Set("Content-Type", "application/octet-stream")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	fmt.Println(response.StatusCode, len(body) > 0, err)
}
