package standin

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	linkLife  = 10 * time.Minute
	manyLinks = 10_000
)

// links are the addresses of files that were given out: each works once, and
// for ten minutes.
type links struct {
	mutex sync.Mutex
	last  int
	open  map[string]link
}

type link struct {
	until   time.Time
	content []byte
}

// add gives the name of a new link; "" when there are too many.
func (l *links) add(now time.Time, content []byte) string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for name, old := range l.open {
		if now.After(old.until) {
			delete(l.open, name)
		}
	}
	if len(l.open) >= manyLinks {
		return ""
	}
	l.last++
	name := strconv.Itoa(l.last)
	l.open[name] = link{until: now.Add(linkLife), content: content}
	return name
}

// take gives the file of a link, once.
func (l *links) take(now time.Time, name string) ([]byte, bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	found, open := l.open[name]
	delete(l.open, name)
	return found.content, open && !now.After(found.until)
}

// linkLicence answers with an address at which the licence's file is once.
//
//	POST {path}/downloadUrl
//	{"certIdentifier", "useCause"}
//	{"head": {"status": "0"}, "data": {"url": "http://…/file/1"}}
func (s *Server) linkLicence(w http.ResponseWriter, r *http.Request) {
	var q struct {
		CertIdentifier string `json:"certIdentifier"`
		UseCause       string `json:"useCause"`
	}
	if !read(w, r, &q) {
		return
	}
	content, b, answered := s.licenceFile(w, r, q.CertIdentifier, q.UseCause, "pdf")
	if answered {
		return
	}
	name := s.links.add(s.today(), content)
	if name == "" {
		s.send(w, b, "", licenceVerdict(statusBusy, "源系统暂未提供服务"))
		return
	}
	host := r.Host
	if b.fault == FaultRedirectAway {
		host = otherName(host)
	}
	at := url.URL{Scheme: "http", Host: host, Path: "/" + r.PathValue("department") + "/elicense/file/" + name}
	s.send(w, b, "", licenceFound(map[string]string{"url": at.String()}))
}

// readLink gives the file of a link.
func (s *Server) readLink(w http.ResponseWriter, r *http.Request) {
	content, open := s.links.take(s.today(), r.PathValue("name"))
	if !open {
		http.Error(w, "链接已失效", http.StatusGone)
		return
	}
	s.sendFile(w, "application/pdf", content)
}

// downloadLicence answers with the file itself, as ofd, pdf or png.
//
//	POST {path}/downloadFile
//	{"certIdentifier", "fileType", "useCause"}
func (s *Server) downloadLicence(w http.ResponseWriter, r *http.Request) {
	var q struct {
		CertIdentifier string `json:"certIdentifier"`
		FileType       string `json:"fileType"`
		UseCause       string `json:"useCause"`
	}
	if !read(w, r, &q) {
		return
	}
	kind, known := map[string]string{"ofd": "application/ofd", "pdf": "application/pdf", "png": "image/png"}[q.FileType]
	if !known {
		s.send(w, behaviour{}, "", licenceVerdict(statusBadValue, "文件类型有误"))
		return
	}
	content, _, answered := s.licenceFile(w, r, q.CertIdentifier, q.UseCause, q.FileType)
	if !answered {
		s.sendFile(w, kind, content)
	}
}

// licenceFile makes the file of a licence; answered is true when there is none
// to give, and that was said.
func (s *Server) licenceFile(w http.ResponseWriter, r *http.Request, identifier, cause, kind string) (content []byte, b behaviour, answered bool) {
	t, subject, _ := s.resolve(r.PathValue("department"), identifier)
	if t == nil {
		s.send(w, behaviour{}, "", licenceVerdict(statusNone, "未找到匹配的证照"))
		return nil, b, true
	}
	b = s.behaviour(t.dataset.Code, subject.number)
	if b.fault != FaultRedirectAway && s.licenceInterrupted(w, r, &b) {
		return nil, b, true
	}
	if head := checkCause(cause); head != nil {
		s.send(w, b, "", head)
		return nil, b, true
	}
	return filled(kind, cause), b, false
}

// filled is the least that a reader takes for a file of its kind. It holds no
// record; a PDF bears the cause for which it was asked, as its watermark.
func filled(kind, cause string) []byte {
	switch kind {
	case "png":
		return []byte("\x89PNG\r\n\x1a\n")
	case "ofd":
		return []byte("PK\x05\x06" + string(make([]byte, 18))) // an empty archive
	default:
		return []byte(fmt.Sprintf("%%PDF-1.4\n%% %s\n%%%%EOF\n", strings.Join(strings.Fields(cause), " ")))
	}
}

func (s *Server) sendFile(w http.ResponseWriter, kind string, content []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Date", s.today().UTC().Format(http.TimeFormat))
	_, _ = w.Write(content) // the one who asked may be gone
}
