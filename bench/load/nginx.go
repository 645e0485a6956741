package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// nginxModules is where Debian keeps them.
const nginxModules = "/usr/lib/nginx/modules"

// StartNginx starts nginx with Lua, which asks the sources at once, decodes what
// they say and gives it as one answer, as gateways are written there. Its files are
// in the folder, and it runs as nobody where we are root.
func StartNginx(ctx context.Context, folder string, sources *RunningSources) (*Process, *Target, error) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		program = "/usr/sbin/nginx"
	}
	for _, needed := range []string{program, filepath.Join(nginxModules, "ngx_http_lua_module.so")} {
		if _, err := os.Stat(needed); err != nil {
			return nil, nil, fmt.Errorf("nginx with Lua: install the Debian packages nginx, libnginx-mod-http-lua and lua-cjson: %w", err)
		}
	}
	port, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	prefix, err := os.MkdirTemp(folder, "nginx-")
	if err != nil {
		return nil, nil, err
	}
	config := filepath.Join(prefix, "nginx.conf")
	if err := os.WriteFile(config, []byte(nginxConfig(port, sources)), 0o644); err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(program, "-p", prefix, "-c", config, "-e", "stderr")
	if err := asNobody(cmd, prefix); err != nil {
		return nil, nil, err
	}
	// It says nothing when it is ready: it is asked.
	cmd.Stderr = os.Stderr
	p := &Process{cmd: cmd, done: make(chan error, 1)}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	p.PID = cmd.Process.Pid
	go func() { p.done <- cmd.Wait() }()
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	request := Request(http.MethodPost, "/", address, Opening(0, MeasuredMatter))
	t := &Target{Name: "nginx", Address: address, PID: p.PID, Request: func(int64) []byte { return request }}
	for until := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		if err = t.Once(0); err == nil {
			return p, t, nil
		}
		if ctx.Err() != nil || time.Now().After(until) {
			return nil, nil, errors.Join(fmt.Errorf("nginx did not start: %w", err), p.Stop())
		}
		select {
		case <-p.done:
			return nil, nil, errors.New("nginx ended at once")
		default:
		}
	}
}

// asNobody has a command run without rights, and gives it its folder.
func asNobody(cmd *exec.Cmd, folder string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(nobody.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(nobody.Gid)
	if err != nil {
		return err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	// Who is nobody has to get to the folder.
	if err := os.Chmod(filepath.Dir(folder), 0o711); err != nil {
		return err
	}
	return os.Chown(folder, uid, gid)
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func nginxConfig(port int, sources *RunningSources) string {
	var upstreams, locations, calls strings.Builder
	for i, department := range Departments() {
		address := strings.TrimPrefix(sources.Addresses[department], "http://")
		fmt.Fprintf(&upstreams, "  upstream s%d { server %s; keepalive 512; keepalive_requests 100000000; }\n", i, address)
		fmt.Fprintf(&locations, "    location = /s%[1]d { internal; proxy_pass http://s%[1]d/query; proxy_http_version 1.1; proxy_set_header Connection \"\"; }\n", i)
		fmt.Fprintf(&calls, "          { \"/s%d\", { method = ngx.HTTP_POST } },\n", i)
	}
	return fmt.Sprintf(`load_module %[1]s/ndk_http_module.so;
load_module %[1]s/ngx_http_lua_module.so;
worker_processes %[2]d;
daemon off;
pid nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 100000000;
  client_body_buffer_size 64k;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
%[3]s  init_by_lua_block { cjson = require "cjson" }
  server {
    listen 127.0.0.1:%[4]d;
%[5]s    location / {
      content_by_lua_block {
        ngx.req.read_body()
        local answers = { ngx.location.capture_multi {
%[6]s        } }
        local merged = {}
        for i, answer in ipairs(answers) do
          if answer.status ~= 200 then return ngx.exit(502) end
          merged[i] = cjson.decode(answer.body)
        end
        local text = cjson.encode(merged)
        ngx.header.content_type = "application/json"
        ngx.header.content_length = #text
        ngx.print(text)
      }
    }
  }
}
`, nginxModules, runtime.GOMAXPROCS(0), &upstreams, port, &locations, &calls)
}
