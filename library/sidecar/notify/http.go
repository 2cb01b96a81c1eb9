package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/httpclient"
)

// requestLimit is how long a request may take.
const requestLimit = 10 * time.Second

// request makes a listener of an address.
func request(of document.NotifyHTTP, news News) (func(context.Context) error, error) {
	method := cmp.Or(of.Method, http.MethodPost)
	if method != http.MethodGet && method != http.MethodPost {
		return nil, fmt.Errorf("/http/method: there is no method %s: write GET or POST", method)
	}
	address, err := url.Parse(of.URL)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return nil, fmt.Errorf("/http/url is no URL of http or https")
	}
	client := httpclient.New(news.Authorities)
	client.Timeout = requestLimit
	client.Transport.(*http.Transport).DisableKeepAlives = true // a listener that was restarted has closed it, and a POST is not tried again
	return func(ctx context.Context) error {
		if err := send(ctx, client, method, of.URL); err != nil {
			return fmt.Errorf("%s could not be told of %s: %s", address.Redacted(), news.Of, line(news.Hide(err.Error())))
		}
		return nil
	}, nil
}

func send(ctx context.Context, client *http.Client, method, address string) error {
	request, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
			return wrapped.Err
		}
		return err
	}
	defer response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("it answered %s", response.Status)
	}
	return nil
}
