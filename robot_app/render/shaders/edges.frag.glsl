#version 330
// Stairs along edges, smoothed on the finished picture: where grey levels about a pixel differ, it is averaged along the
// edge that they tell of. The idea is FXAA's (Timothy Lottes, NVIDIA, 2009).
uniform sampler2D fine;
uniform vec2 pixel;                     // of the picture, in texture coordinates
out vec4 result;

const float LEAST = 0.06;               // contrast, in grey levels 0 … 1, below which nothing shows
const float SHARE = 0.11;               // and as a share of the brightest
const float FARTHEST = 3.0;             // pixels along the edge: nearest to supersampling, and sharp

float grey(vec3 c) { return dot(c, vec3(0.299, 0.587, 0.114)); }

float corner(ivec2 at, int x, int y) { return grey(texelFetch(fine, at + ivec2(x, y), 0).rgb); }

// What is averaged is light, not grey levels.
vec3 light(vec2 place) { vec3 c = texture(fine, place).rgb; return c * c; }

void main() {
    ivec2 at = clamp(ivec2(gl_FragCoord.xy), ivec2(1), textureSize(fine, 0) - 2);
    vec3 here = texelFetch(fine, ivec2(gl_FragCoord.xy), 0).rgb;
    float middle = grey(here);
    float a = corner(at, -1, -1), b = corner(at, 1, -1), c = corner(at, -1, 1), d = corner(at, 1, 1);
    float low = min(middle, min(min(a, b), min(c, d)));
    float high = max(middle, max(max(a, b), max(c, d)));
    if (high - low < max(LEAST, SHARE * high)) {
        result = vec4(here, 1.0);
        return;
    }
    vec2 along = vec2(c + d - a - b, a + c - b - d);        // the gradient turned by a right angle
    float flat_ = 0.03 * (a + b + c + d) + 0.008;           // keeps faint edges from being followed far
    along = clamp(along / (min(abs(along.x), abs(along.y)) + flat_), -FARTHEST, FARTHEST) * pixel;
    vec2 centre = gl_FragCoord.xy * pixel;
    vec3 near = 0.5 * (light(centre - along / 6.0) + light(centre + along / 6.0));
    vec3 far = sqrt(0.5 * near + 0.25 * (light(centre - along / 2.0) + light(centre + along / 2.0)));
    near = sqrt(near);
    float level = grey(far);
    result = vec4(level < low || level > high ? near : far, 1.0);   // beyond what is there: followed too far
}
