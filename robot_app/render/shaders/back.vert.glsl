#version 330
// One triangle over the whole picture at the far plane; each corner carries its line of sight.
uniform vec3 forward;
uniform vec3 right;   // half width of the picture at distance 1
uniform vec3 up;      // half height
out vec3 ray;
out float height;

void main() {
    vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
    ray = forward + corner.x * right - corner.y * up;   // the picture is drawn top row first
    height = -corner.y;
    gl_Position = vec4(corner, 0.999999, 1.0);
}
